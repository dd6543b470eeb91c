package segments

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// sampledEvents is how many of the newest events the catalog of properties looks at.
const sampledEvents = 10_000

// PropertyName is a property that the newest events of a name have.
type PropertyName struct {
	Property string
	Kinds    map[string]uint64 // events by the kind of the value: text, number, boolean, list
	Top      []TopValue
}

// Properties lists the properties of an event, from its newest ten thousand.
func (e *Evaluator) Properties(ctx context.Context, project muster.ProjectID, event string) ([]PropertyName, error) {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "event": queries.Text(event), "sample": strconv.Itoa(sampledEvents),
	}), `
		SELECT toJSONString(properties)
		FROM events FINAL
		WHERE project = {project:UInt32} AND event = {event:String}
		ORDER BY time DESC
		LIMIT {sample:UInt32}`)
	if err != nil {
		return nil, failed(ctx, "list properties", err)
	}
	defer rows.Close()
	counts := propertyCounts{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, failed(ctx, "list properties", err)
		}
		if err := counts.add(text); err != nil {
			return nil, err
		}
	}
	return counts.names(), rows.Err()
}

// propertyCounts count values by property, kind and text.
type propertyCounts map[string]map[[2]string]uint64

// add counts the properties of one event, whose dotted names ClickHouse prints as nested objects.
func (c propertyCounts) add(text string) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return fmt.Errorf("read an event's properties: %w", err)
	}
	c.object("", object)
	return nil
}

func (c propertyCounts) object(prefix string, object map[string]any) {
	for key, value := range object {
		switch v := value.(type) {
		case map[string]any:
			c.object(prefix+key+".", v)
		case string:
			c.count(prefix+key, "text", v)
		case json.Number:
			c.count(prefix+key, "number", v.String())
		case bool:
			c.count(prefix+key, "boolean", strconv.FormatBool(v))
		case []any:
			c.count(prefix+key, "list", "")
			for _, element := range v {
				c.count(prefix+key, "element", fmt.Sprint(element))
			}
		}
	}
}

func (c propertyCounts) count(property, kind, value string) {
	if c[property] == nil {
		c[property] = map[[2]string]uint64{}
	}
	c[property][[2]string{kind, value}]++
}

// names lists the properties by name, each with its most frequent values.
func (c propertyCounts) names() []PropertyName {
	all := []PropertyName{}
	for _, key := range slices.Sorted(maps.Keys(c)) {
		p := PropertyName{Property: muster.PropertyName(key), Kinds: map[string]uint64{}, Top: []TopValue{}}
		for value, n := range c[key] {
			switch value[0] {
			case "list":
				p.Kinds["list"] += n
			case "element":
				p.Top = append(p.Top, TopValue{value[1], "list", n})
			default:
				p.Kinds[value[0]] += n
				p.Top = append(p.Top, TopValue{value[1], value[0], n})
			}
		}
		slices.SortFunc(p.Top, func(a, b TopValue) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value), strings.Compare(a.Kind, b.Kind))
		})
		p.Top = p.Top[:min(len(p.Top), topValues)]
		all = append(all, p)
	}
	return all
}
