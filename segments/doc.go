// Package segments keeps saved definitions and evaluates them over ClickHouse: previews, lists of users, memberships and
// their runs. What a definition means is decided in package queries; this package runs what that one prints.
package segments
