// Package queries is the segment language and its planner. A definition goes through these passes, one file each, or one
// for each kind of leaf where a pass is long:
//
//	decode     JSON to nodes, refusing what the language does not have, with the place and a suggestion
//	resolve    segments that a definition names are replaced by what they currently mean
//	normalise  nodes become set algebra over positive leaves: negations are complements, and with now pinned (clock)
//	           every time is an interval of milliseconds
//	plan       equal leaves of all definitions are one leaf; leaves over one source are one scan
//	sql        the plan is printed as one statement whose values are all parameters
//
// print and sentence show a definition to programs and to people, explain what was seen of one user, inspect and mentions what is
// worth a warning. The package knows neither HTTP nor the driver: it
// prints statements, others run them.
package queries
