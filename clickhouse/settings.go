package clickhouse

import driver "github.com/ClickHouse/clickhouse-go/v2"

// querySettings hold for every connection, embedded or not. What a query means depends on them.
var querySettings = []setting{
	{"session_timezone", "UTC"},
	// A text stays a text: "2024-01-01" in an event's property is no date until somebody asks for one.
	{"input_format_try_infer_dates", "0"},
	{"input_format_try_infer_datetimes", "0"},
	{"input_format_json_try_infer_numbers_from_strings", "0"},
	// The number a text has is the nearest one, as in every other program.
	{"precise_float_parsing", "1"},
	// The driver exchanges JSON columns as text.
	{"output_format_native_write_json_as_string", "1"},
	// Rows with one key are in one partition, because the partition is made from the key.
	{"do_not_merge_across_partitions_select_final", "1"},
	// Measured: a subquery's values used as index conditions cost 20 times what they save.
	{"use_index_for_in_with_subqueries", "0"},
	// An insert is one block under its own token, and done when it is answered: a server may not gather it with others.
	{"async_insert", "0"},
	// A repeated insert is repeated in the views too, and dropped there too.
	{"deduplicate_blocks_in_dependent_materialized_views", "1"},
	// One spool segment may hold messages of any year.
	{"max_partitions_per_insert_block", "0"},
	// One statement may hold the definitions of hundreds of segments.
	{"max_query_size", "16777216"},
	{"max_ast_elements", "1000000"},
	{"max_expanded_ast_elements", "4000000"},
	{"log_queries", "0"},
}

// connectionSettings are querySettings in the driver's form.
func connectionSettings() driver.Settings {
	s := driver.Settings{}
	for _, q := range querySettings {
		s[q.Name] = q.Value
	}
	return s
}
