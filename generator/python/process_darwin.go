package python

import (
	"errors"
	"os"
	"syscall"
)

// awaitExit returns when a child process has ended, and leaves it to be waited
// for, so that its id is not given to another process yet.
func awaitExit(pid int) error {
	queue, err := syscall.Kqueue()
	if err != nil {
		return os.NewSyscallError("kqueue", err)
	}
	defer func() { _ = syscall.Close(queue) }()
	syscall.CloseOnExec(queue)
	exit := syscall.Kevent_t{
		Ident: uint64(pid), Filter: syscall.EVFILT_PROC, Flags: syscall.EV_ADD | syscall.EV_ONESHOT, Fflags: syscall.NOTE_EXIT,
	}
	events := make([]syscall.Kevent_t, 1)
	for changes := []syscall.Kevent_t{exit}; ; {
		n, err := syscall.Kevent(queue, changes, events, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.ESRCH):
			return nil // it has ended already
		case err != nil:
			return os.NewSyscallError("kevent", err)
		case n > 0:
			return nil
		}
	}
}
