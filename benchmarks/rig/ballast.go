package rig

import "runtime"

const (
	ballast = 64 << 20
	piece   = 512
)

// Ballast returns memory for the process to hold, as a small server does. With next
// to none the garbage collector would run every few thousand calls, and its cost,
// and when it strikes, would hide what is measured. What calls will use until the
// collector runs has been used once before, so that none is charged for memory that
// the system hands out. The caller keeps the ballast alive.
func Ballast() []byte {
	held := make([]byte, ballast)
	pieces := make([][]byte, 0, ballast/piece)
	for range cap(pieces) {
		p := make([]byte, piece)
		p[0] = 1
		pieces = append(pieces, p)
	}
	runtime.KeepAlive(pieces)
	runtime.GC()
	return held
}
