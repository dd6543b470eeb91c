// Package projects keeps the tenants and the keys that open them.
package projects
