package exports

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// source reads the rows of a dataset of members.
type source struct {
	db         *clickhouse.DB
	project    muster.ProjectID
	run        Run
	attributes []string
}

// fixedAttributes are the native attributes of the fixed columns, in their order, after user and uid.
var fixedAttributes = []string{"user_id", "anonymous_id", "first_seen", "last_seen"}

func (s source) table() queries.Table {
	scope := queries.Scope{Project: s.project, Now: s.run.AsOf, Zone: time.UTC}
	return queries.NewTable(scope, queries.Membership{Segment: s.run.Segment, Run: s.run.ID},
		append(append([]string{}, fixedAttributes...), s.attributes...))
}

// kinds returns which kinds of values each asked attribute has among the members.
func (s source) kinds(ctx context.Context) (map[string][]string, error) {
	kinds := map[string][]string{}
	statement := s.table().Kinds()
	rows, err := s.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return nil, fmt.Errorf("read the kinds of attributes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var column uint16
		var found []string
		if err := rows.Scan(&column, &found); err != nil {
			return nil, fmt.Errorf("read the kinds of attributes: %w", err)
		}
		if i := int(column) - 1 - len(fixedAttributes); i >= 0 {
			kinds[s.attributes[i]] = found
		}
	}
	return kinds, rows.Err()
}

// rows adds every member to the writer, in the order of the uids. They are read bucket by bucket.
func (s source) rows(ctx context.Context, w *writer) error {
	statement := s.table().Buckets()
	rows, err := s.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return fmt.Errorf("read the members: %w", err)
	}
	var buckets []uint16
	for rows.Next() {
		var bucket uint16
		if err := rows.Scan(&bucket); err != nil {
			rows.Close()
			return fmt.Errorf("read the members: %w", err)
		}
		buckets = append(buckets, bucket)
	}
	if err := rows.Close(); err != nil {
		return fmt.Errorf("read the members: %w", err)
	}
	for _, bucket := range buckets {
		if err := s.bucket(ctx, w, bucket); err != nil {
			return err
		}
	}
	return nil
}

// cells are a row as it is read: what each of its columns has.
type cells struct {
	columns  []uint16
	kinds    []string
	texts    []string
	numbers  []float64
	instants []int64
	lists    [][]string
}

func (s source) bucket(ctx context.Context, w *writer, bucket uint16) error {
	statement := s.table().Rows(bucket)
	rows, err := s.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return fmt.Errorf("read the members: %w", err)
	}
	defer rows.Close()
	row := reflect.New(w.row).Elem()
	for rows.Next() {
		var uid uint32
		var c cells
		if err := rows.Scan(&uid, &c.columns, &c.kinds, &c.texts, &c.numbers, &c.instants, &c.lists); err != nil {
			return fmt.Errorf("read the members: %w", err)
		}
		row.SetZero()
		row.Field(1).SetUint(uint64(uid))
		for i := range c.columns {
			c.set(row, i, w.manifest.Schema)
		}
		if err := w.add(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// set puts the i-th cell into its field of a row.
func (c cells) set(row reflect.Value, i int, schema []Column) {
	at := int(c.columns[i])
	if at > 0 {
		at++ // after user comes uid, which is no cell
	}
	field := row.Field(at)
	var value any
	switch schema[at].Type {
	case "double":
		value = c.numbers[i]
	case "boolean":
		value = c.texts[i] == "true"
	case "list of string":
		value = c.lists[i]
	case "timestamp":
		value = time.UnixMilli(c.instants[i]).UTC()
	default:
		value = printValue(c.kinds[i], c.texts[i], c.numbers[i], c.lists[i])
	}
	v := reflect.ValueOf(value)
	if field.Kind() == reflect.Pointer {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		v = p
	}
	field.Set(v)
}
