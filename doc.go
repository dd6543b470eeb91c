// Package muster holds the words every other package uses: projects, actors and errors. It imports none of them.
package muster
