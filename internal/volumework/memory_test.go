package volumework_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dogker/dogker/internal/voldata/store"
)

// memory is a store without a disk, on which thousands of snapshots would take minutes.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	// swept is how often it was.
	swept int
}

var _ store.Store = (*memory)(nil)

func newMemory() *memory { return &memory{objects: map[string][]byte{}} }

func (m *memory) Put(_ context.Context, name string, content io.Reader) (int64, error) {
	data, err := io.ReadAll(content)
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, is := m.objects[name]; is {
		return 0, store.ErrExists
	}
	m.objects[name] = data

	return int64(len(data)), nil
}

func (m *memory) Get(_ context.Context, name string) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, is := m.objects[name]
	if !is {
		return nil, store.ErrNotFound
	}

	return io.NopCloser(bytes.NewReader(data)), nil
}

func (m *memory) Stat(_ context.Context, name string) (store.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, is := m.objects[name]
	if !is {
		return store.Object{}, store.ErrNotFound
	}

	return store.Object{Name: name, Size: int64(len(data))}, nil
}

func (m *memory) List(_ context.Context, folder string) ([]store.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []store.Object
	for _, name := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(name, folder) {
			out = append(out, store.Object{Name: name, Size: int64(len(m.objects[name])), Time: time.Now()})
		}
	}

	return out, nil
}

func (m *memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)

	return nil
}

func (m *memory) Sweep(context.Context, time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.swept++

	return 0, nil
}
