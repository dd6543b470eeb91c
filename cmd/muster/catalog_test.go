package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

type topValue struct {
	Value, Kind string
	Count       int
}

// TestCatalogs checks what a builder offers, and that two kinds under one name show.
func TestCatalogs(t *testing.T) {
	s := startTest(t, t.TempDir())
	defer s.close()
	ask(t, s, "POST", "/v1/batch", `{"batch":[
		{"type":"identify","userId":"a","anonymousId":"va","traits":{"plan":"pro","seats":3,"roles":["x","y"]}},
		{"type":"identify","userId":"b","traits":{"plan":"pro","seats":"three","roles":["x"]}},
		{"type":"identify","userId":"c","traits":{"plan":"free","seats":3,"trial":true}},
		{"type":"identify","userId":"d","traits":{"plan":null}},
		{"type":"identify","userId":"e","anonymousId":"ve","traits":{"plan":"gone","seats":9}},
		{"type":"identify","userId":"e","traits":{},"options":{"removeUnspecified":true}},
		{"type":"track","userId":"a","event":"buy","messageId":"m1","properties":{"amount":5,"cart":{"x:y":"A"}}},
		{"type":"track","userId":"a","event":"buy","messageId":"m1","properties":{"amount":5,"cart":{"x:y":"A"}}},
		{"type":"track","anonymousId":"va","event":"buy","properties":{"amount":5,"gift":true,"tags":["n","m"]}},
		{"type":"track","userId":"b","event":"buy","properties":{"amount":"7"}},
		{"type":"track","userId":"a","event":"$experience","properties":{"experience":"nps","type":"survey","interaction":"seen"}},
		{"type":"track","userId":"a","event":"$experience","properties":{"experience":"nps","type":"survey","interaction":"answered","question":"q1","answer":9}},
		{"type":"track","userId":"b","event":"$experience","properties":{"experience":"nps","type":"survey","interaction":"seen"}}]}`, 200, nil)
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)

	var attributes struct {
		Attributes []struct {
			Attribute string
			Kinds     []string
			Values    map[string]int
			Top       []topValue
		}
	}
	ask(t, s, "GET", "/api/v1/attributes", "", 200, &attributes)
	got := map[string]any{}
	for _, a := range attributes.Attributes {
		got[a.Attribute] = []any{a.Kinds, a.Values, a.Top}
	}
	if diff := cmp.Diff(map[string]any{
		"plan":  []any{[]string{"text"}, map[string]int{"text": 3}, []topValue{{"pro", "text", 2}, {"free", "text", 1}}},
		"seats": []any{[]string{"number", "text"}, map[string]int{"number": 2, "text": 1}, []topValue{{"3", "number", 2}, {"three", "text", 1}}},
		"roles": []any{[]string{"list"}, map[string]int{"list": 2}, []topValue{{"x", "list", 2}, {"y", "list", 1}}},
		"trial": []any{[]string{"boolean"}, map[string]int{"boolean": 1}, []topValue{{"true", "boolean", 1}}},
	}, got); diff != "" {
		t.Errorf("other attributes (-want +got):\n%s", diff)
	}

	var events struct {
		Events []struct {
			Event        string
			Count, Users int
		}
	}
	ask(t, s, "GET", "/api/v1/events", "", 200, &events)
	counts := map[string][2]int{}
	for _, e := range events.Events {
		counts[e.Event] = [2]int{e.Count, e.Users}
	}
	if diff := cmp.Diff(map[string][2]int{"buy": {3, 2}, "$identify": {6, 5}, "$experience": {3, 2}}, counts); diff != "" {
		t.Errorf("other events (-want +got):\n%s", diff)
	}

	type property struct {
		Property string
		Kinds    map[string]int
		Top      []topValue
	}
	var properties struct{ Properties []property }
	ask(t, s, "GET", "/api/v1/events/buy/properties", "", 200, &properties)
	if diff := cmp.Diff([]property{
		{"amount", map[string]int{"number": 2, "text": 1}, []topValue{{"5", "number", 2}, {"7", "text", 1}}},
		{"cart.x:y", map[string]int{"text": 1}, []topValue{{"A", "text", 1}}},
		{"gift", map[string]int{"boolean": 1}, []topValue{{"true", "boolean", 1}}},
		{"tags", map[string]int{"list": 1}, []topValue{{"m", "list", 1}, {"n", "list", 1}}},
	}, properties.Properties); diff != "" {
		t.Errorf("other properties (-want +got):\n%s", diff)
	}

	type experience struct {
		Experience, Type string
		Users            int
		Counts           map[string]int
		Questions        []string
	}
	var experiences struct{ Experiences []experience }
	ask(t, s, "GET", "/api/v1/experiences", "", 200, &experiences)
	if diff := cmp.Diff([]experience{{"nps", "survey", 2, map[string]int{"seen": 2, "answered": 1}, []string{"q1"}}}, experiences.Experiences); diff != "" {
		t.Errorf("other experiences (-want +got):\n%s", diff)
	}
}
