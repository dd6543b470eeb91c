// Package demo makes up the traffic of a product, Brightboard, and sends it to a running service: visitors who sign up,
// trials that convert or lapse, features adopted sooner or later, surveys answered, people who leave. The same
// configuration always makes the same messages, so sending them twice changes nothing.
package demo
