package main

import (
	"reflect"
	"testing"
)

// TestProject reads the project as the dashboard does, which has the secret key and shows the write key.
func TestProject(t *testing.T) {
	s := startTest(t, t.TempDir())
	defer s.close()
	var got, want struct {
		Name      string
		TimeZone  string   `json:"time_zone"`
		WriteKeys []string `json:"write_keys"`
	}
	ask(t, s, "GET", "/api/v1/project", "", 200, &got)
	want.Name, want.TimeZone, want.WriteKeys = "default", "UTC", []string{s.keyFile.WriteKey}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the project is %+v, want %+v", got, want)
	}
}
