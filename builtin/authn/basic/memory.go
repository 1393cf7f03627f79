package basic

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// maxProven is how many right passwords are remembered. They belong to users, so
// strangers cannot fill it.
const maxProven = 10_000

// proof stands for a user, a password and the hash that the password was right for:
// an HMAC under a key that nobody else has.
type proof [sha256.Size]byte

// memory is a bounded set of proofs that forgets. It has two generations: when the
// newer one is full, it becomes the older one, and what was that is dropped.
type memory struct {
	key      [32]byte
	lifetime time.Duration

	mu           sync.Mutex // guards what follows
	newer, older map[proof]time.Time
}

func newMemory(lifetime time.Duration) *memory {
	m := &memory{lifetime: lifetime, newer: map[proof]time.Time{}}
	_, _ = rand.Read(m.key[:]) // never fails, see crypto/rand
	return m
}

// of computes what is remembered. The lengths keep "a"+"bc" from being "ab"+"c".
func (m *memory) of(id, password string, hash []byte) (sum proof) {
	b := make([]byte, 0, 6+len(id)+len(password)+len(hash))
	for _, part := range []string{id, password, string(hash)} {
		b = binary.BigEndian.AppendUint16(b, uint16(min(len(part), 1<<16-1)))
		b = append(b, part...)
	}
	h := hmac.New(sha256.New, m.key[:])
	_, _ = h.Write(b)
	h.Sum(sum[:0])
	return sum
}

// has tells whether sum was added less than a lifetime ago.
func (m *memory) has(sum proof) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	added, ok := m.newer[sum]
	if !ok {
		added, ok = m.older[sum]
	}
	return ok && time.Since(added) < m.lifetime
}

// add remembers sum from now on.
func (m *memory) add(sum proof) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.newer) >= maxProven/2 {
		m.newer, m.older = map[proof]time.Time{}, m.newer
	}
	m.newer[sum] = time.Now()
}
