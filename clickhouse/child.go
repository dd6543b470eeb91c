package clickhouse

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
)

// ChildCommand is the hidden sub-command under which a binary must call [RunChild].
const ChildCommand = "engine"

// childGrace is how long a child whose parent died is given to end by itself.
const childGrace = 2 * time.Second

// niceness is how far the engine stands back where there is not enough of the processor: its merges can wait, and who sends
// traffic waits for an answer.
const niceness = 5

// RunChild is the whole life of the engine's process: it loads the library, runs ClickHouse with the arguments and
// returns when ClickHouse ends. args are the library's path and ClickHouse's own arguments. Standard input is the
// parent's end of a pipe: when it closes, the parent is gone, and so is this process soon after.
func RunChild(args []string) error {
	if len(args) < 1 {
		return fmt.Errorf("%s is started by muster itself", ChildCommand)
	}
	runtime.LockOSThread()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness) // of this thread, and so of all that ClickHouse starts
	dieWithParent()
	go endWithParent(os.Stdin)

	library, err := purego.Dlopen(args[0], purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load the ClickHouse library: %w", err)
	}
	var run func(argc int32, argv **byte) uintptr
	purego.RegisterLibFunc(&run, library, "chdb_query_cmdline")
	var failure func(result uintptr) string
	purego.RegisterLibFunc(&failure, library, "chdb_result_error")

	argv := make([]*byte, 0, len(args)+1)
	for _, arg := range append([]string{"clickhouse"}, args[1:]...) {
		text := append([]byte(arg), 0)
		argv = append(argv, unsafe.SliceData(text))
	}
	count := int32(len(argv))
	argv = append(argv, nil)
	result := run(count, unsafe.SliceData(argv))
	runtime.KeepAlive(argv)
	if result == 0 {
		return nil
	}
	if text := failure(result); text != "" {
		return fmt.Errorf("clickhouse: %s", text)
	}
	return nil
}

// endWithParent waits for the end of the parent's pipe, asks ClickHouse to end, and insists.
func endWithParent(stdin io.Reader) {
	_, _ = io.Copy(io.Discard, stdin) // any end of it means the same
	_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	time.Sleep(childGrace)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}
