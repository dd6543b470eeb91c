// Package jobs runs what nobody asks for over HTTP: indexing new actors, and materializing segments on their schedules.
// Every job may run twice with the same result; a lease keeps several processes from doing the same work at once.
package jobs
