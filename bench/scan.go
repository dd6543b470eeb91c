package bench

import "reflect"

// newScan returns a pointer to scan a column into. Properties travel as text.
func newScan(column string, t reflect.Type) any {
	if column == "properties" {
		return new(string)
	}
	return reflect.New(t).Interface()
}

// dereference returns what a scanned pointer points at.
func dereference(p any) any { return reflect.ValueOf(p).Elem().Interface() }
