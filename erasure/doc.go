// Package erasure takes a user out of everything that is kept, on the user's demand.
package erasure
