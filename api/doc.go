// Package api is the HTTP surface for people and analysts: segments, users, exports, and the documents that describe it.
// An endpoint is one file. Traffic has a door of its own, package ingest.
package api
