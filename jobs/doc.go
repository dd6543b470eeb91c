// Package jobs runs what nobody asks for over HTTP: indexing new actors, materializing segments on their schedules, and
// keeping live ones up to date. Every job may run twice with the same result; a lease keeps several processes from doing the
// same work at once.
package jobs
