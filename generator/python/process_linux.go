package python

import (
	"os"
	"syscall"
)

// awaitExit returns when a child process has ended, and leaves it to be waited
// for, so that its id is not given to another process yet.
func awaitExit(pid int) error {
	const byPID = 1 // P_PID
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byPID, uintptr(pid), 0, syscall.WEXITED|syscall.WNOWAIT, 0, 0)
		switch errno {
		case 0:
			return nil
		case syscall.EINTR:
		default:
			return os.NewSyscallError("waitid", errno)
		}
	}
}
