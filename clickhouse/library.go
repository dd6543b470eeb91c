package clickhouse

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// LibraryEnv names the environment variable that says where the engine's library is.
const LibraryEnv = "MUSTER_ENGINE_LIBRARY"

// packageDir is the engine's npm package for this platform, as `make engine` installs it.
func packageDir() string {
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	name := "lib-" + runtime.GOOS + "-" + arch
	if runtime.GOOS == "linux" {
		name += "-gnu"
	}
	return filepath.Join("engine", "node_modules", "@chdb", name)
}

// FindLibrary returns the path of the engine's library: the one given, else the one [LibraryEnv] names, else the one in
// a checkout around the executable or the working directory. The error says where it looked and what to do.
func FindLibrary(given string) (string, error) {
	for _, path := range []string{given, os.Getenv(LibraryEnv)} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("the ClickHouse library is not where it was said to be: %w", err)
		}
		return path, nil
	}
	var starts, looked []string
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	for _, start := range starts {
		for dir := start; ; dir = filepath.Dir(dir) {
			path := filepath.Join(dir, packageDir(), "libchdb.so")
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
		looked = append(looked, filepath.Join(start, packageDir())+" and above")
	}
	return "", fmt.Errorf("the embedded ClickHouse is not installed: run `make engine` in the checkout, or name libchdb.so with "+
		"--engine-library or %s, or use a server with --clickhouse-dsn (looked in %s)", LibraryEnv, strings.Join(looked, "; "))
}
