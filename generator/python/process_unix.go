//go:build linux || darwin

package python

import "syscall"

// supported says that workers can run here.
const supported = true

// ownGroup makes a process the leader of a process group of its own.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends every process of a group. The group may have none left.
func killGroup(pgid int) { _ = syscall.Kill(-pgid, syscall.SIGKILL) }
