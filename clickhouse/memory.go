package clickhouse

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// The engine takes a third of the machine's memory, within these bounds: enough for millions of users, and never so much
// that a laptop's other programs notice.
const (
	minEngineMemory     = 1 << 30
	maxEngineMemory     = 4 << 30
	fallbackMachineSize = 4 << 30
)

// engineMemory returns how many bytes the embedded server may use on a machine of this size.
func engineMemory() uint64 {
	return min(max(machineMemory()/3, minEngineMemory), maxEngineMemory)
}

// machineMemory returns the memory of the machine, or of the control group this process is confined to, in bytes.
func machineMemory() uint64 {
	size := uint64(fallbackMachineSize)
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			fields := strings.Fields(lines.Text())
			if len(fields) >= 2 && fields[0] == "MemTotal:" {
				if kib, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
					size = kib << 10
				}
			}
		}
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			size = min(size, limit)
		}
	}
	return size
}
