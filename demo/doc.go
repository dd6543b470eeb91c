// Package demo makes up the traffic of a SaaS product, the same for the same seed, and sends it through the door like any
// other client.
package demo
