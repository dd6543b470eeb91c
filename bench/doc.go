// Package bench measures Muster against the bare minimum: every figure is a ratio to what the same machine needs, in the
// same run, for the same rows without Muster. The product's data is made once, on the server, and kept between runs.
package bench
