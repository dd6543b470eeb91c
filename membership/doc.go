// Package membership keeps in memory who is in which live segment now, and which user an actor is. A question is answered
// from here within microseconds, whatever ClickHouse is doing. What is kept is what package segments puts in.
package membership
