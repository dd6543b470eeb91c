package clickhouse

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

// The user the service logs in as. Its password is random, new at every start of the service.
const engineUser = "muster"

// serverConfig is what differs between two embedded servers.
type serverConfig struct {
	UsersFile   string
	Password    string
	Memory      uint64 // bytes the server may use in all
	QueryMemory uint64 // bytes one query may use
	Settings    []setting
}

type setting struct{ Name, Value string }

// configXML sizes the server for a machine it shares with others. What it dies of goes to standard error, which is
// [Engine]'s log: without the logger an abort leaves no word behind. Nothing less does, because the errors of queries
// reach who asked, and the log would grow with them. The tables in which a server keeps its own history are not defined,
// so they do not exist.
var configXML = template.Must(template.New("config.xml").Funcs(template.FuncMap{"xml": escapeXML}).Parse(`<clickhouse>
  <log-level>fatal</log-level>
  <logger><console>1</console></logger>
  <users_config>{{xml .UsersFile}}</users_config>
  <max_server_memory_usage>{{.Memory}}</max_server_memory_usage>
  <mark_cache_size>268435456</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <index_mark_cache_size>67108864</index_mark_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_buffer_flush_schedule_pool_size>1</background_buffer_flush_schedule_pool_size>
  <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
  <background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
  <merge_tree>
    <non_replicated_deduplication_window>10000</non_replicated_deduplication_window>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
  </merge_tree>
</clickhouse>
`))

// usersXML leaves default, as which ClickHouse logs itself in, nothing but what starting needs.
var usersXML = template.Must(template.New("users.xml").Funcs(template.FuncMap{"xml": escapeXML}).Parse(`<clickhouse>
  <profiles>
    <default></default>
    <muster>
      <max_memory_usage>{{.QueryMemory}}</max_memory_usage>
{{range .Settings}}      <{{.Name}}>{{xml .Value}}</{{.Name}}>
{{end}}    </muster>
  </profiles>
  <quotas><default></default></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>::1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT SELECT ON system.numbers</query>
      </grants>
    </default>
    <muster>
      <password>{{xml .Password}}</password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>muster</profile>
      <quota>default</quota>
      <grants><query>GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE, KILL QUERY, SYSTEM, dictGet, TABLE ENGINE, REMOTE, CLUSTER ON *.*</query></grants>
    </muster>
  </users>
</clickhouse>
`))

func escapeXML(text string) (string, error) {
	var b bytes.Buffer
	err := xml.EscapeText(&b, []byte(text))
	return b.String(), err
}

// write puts both files into a directory, readable by nobody else, and returns the path of the main one.
func (c serverConfig) write(dir string) (string, error) {
	c.UsersFile = filepath.Join(dir, "users.xml")
	c.Settings = querySettings
	path := filepath.Join(dir, "config.xml")
	for _, file := range []struct {
		path string
		text *template.Template
	}{{c.UsersFile, usersXML}, {path, configXML}} {
		var b bytes.Buffer
		if err := file.text.Execute(&b, c); err != nil {
			return "", fmt.Errorf("write the engine's configuration: %w", err)
		}
		if err := os.WriteFile(file.path, b.Bytes(), 0o600); err != nil {
			return "", fmt.Errorf("write the engine's configuration: %w", err)
		}
	}
	return path, nil
}
