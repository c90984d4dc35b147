package views

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// row is an object as it is shown, with what selectors look at. It is never changed.
type row struct {
	object          runtime.Object
	namespace, name string
	key             string // Its place in lists.
	version         uint64
	labels          labels.Set
	fields          fields.Set
}

// change is what became of one object. before is nil for one that is new, after for one that is gone.
type change struct {
	version       uint64
	before, after *row
}

// leastKept is how many changes the log keeps however few objects there are.
const leastKept = 2048

// shelf holds the objects of one kind and a log of what happened to them.
type shelf struct {
	mu      sync.RWMutex
	first   uint64 // Where the versions of this start begin.
	version uint64 // Of the last change.
	objects map[string]map[string]*row
	count   int

	// log is in order, and what has been appended is never changed: who reads it keeps a part of it without a copy. A watch
	// can go on from any version that is not below floor.
	log   []change
	floor uint64
	// moved is closed when something is appended.
	moved chan struct{}
}

func newShelf(now time.Time) *shelf {
	first := firstVersion(now)

	return &shelf{first: first, version: first, floor: first, objects: map[string]map[string]*row{}, moved: make(chan struct{})}
}

// put takes in what an object is now. put and remove are called by one goroutine.
func (s *shelf) put(r *row) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.version++
	r.version = s.version
	setVersion(r.object, r.version)
	before := s.objects[r.namespace][r.name]
	if s.objects[r.namespace] == nil {
		s.objects[r.namespace] = map[string]*row{}
	}
	s.objects[r.namespace][r.name] = r
	if before == nil {
		s.count++
	}
	s.append(change{version: s.version, before: before, after: r})
}

// remove takes an object out.
func (s *shelf) remove(namespace, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	before := s.objects[namespace][name]
	if before == nil {
		return
	}
	s.version++
	s.count--
	delete(s.objects[namespace], name)
	if len(s.objects[namespace]) == 0 {
		delete(s.objects, namespace)
	}
	s.append(change{version: s.version, before: before})
}

func (s *shelf) append(c change) {
	s.log = append(s.log, c)
	// A burst in which every object changes, twice, is followed by who was up to date before it.
	if keep := leastKept + 2*s.count; len(s.log) > 2*keep {
		cut := len(s.log) - keep
		s.floor = s.log[cut-1].version
		s.log = slices.Clone(s.log[cut:])
	}
	close(s.moved)
	s.moved = make(chan struct{})
}

// get is an object as it is now; nil for none.
func (s *shelf) get(namespace, name string) *row {
	s.mu.RLock()
	defer s.mu.RUnlock()

	return s.objects[namespace][name]
}

// list is what there is in a namespace, or everywhere when it is empty, in order, and which version that is.
func (s *shelf) list(namespace string) ([]*row, uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()

	return inOrder(s.objects, namespace), s.version
}

// listAt is what there was at a version, as far back as the log goes.
func (s *shelf) listAt(namespace string, at uint64) ([]*row, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()

	if at < s.floor || at > s.version {
		return nil, errExpired()
	}

	then := map[string]map[string]*row{}
	for ns, objects := range s.objects {
		if namespace == "" || ns == namespace {
			then[ns] = make(map[string]*row, len(objects))
			for name, r := range objects {
				then[ns][name] = r
			}
		}
	}
	for i := len(s.log) - 1; i >= 0 && s.log[i].version > at; i-- {
		switch c := s.log[i]; {
		case c.before == nil:
			delete(then[c.after.namespace], c.after.name)
		case namespace == "" || c.before.namespace == namespace:
			if then[c.before.namespace] == nil {
				then[c.before.namespace] = map[string]*row{}
			}
			then[c.before.namespace][c.before.name] = c.before
		}
	}

	return inOrder(then, namespace), nil
}

func inOrder(objects map[string]map[string]*row, namespace string) []*row {
	var rows []*row
	for ns, in := range objects {
		if namespace != "" && ns != namespace {
			continue
		}
		for _, r := range in {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *row) int { return cmp.Compare(a.key, b.key) })

	return rows
}

// since is what happened after a version, up to which version that is, and what is closed when more does. It fails when
// the log does not go back so far, or when the version is not from here.
func (s *shelf) since(version uint64) (log []change, now uint64, more <-chan struct{}, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()

	if version < s.floor || version > s.version {
		return nil, 0, nil, errExpired()
	}
	i, _ := slices.BinarySearchFunc(s.log, version+1, func(c change, v uint64) int { return cmp.Compare(c.version, v) })

	return s.log[i:len(s.log):len(s.log)], s.version, s.moved, nil
}

// known refuses a version that is not from here, however old it is.
func (s *shelf) known(version uint64) error {
	s.mu.RLock()
	defer s.mu.RUnlock()

	if version < s.first || version > s.version {
		return errExpired()
	}

	return nil
}

func setVersion(o runtime.Object, v uint64) {
	m, err := meta.Accessor(o)
	if err != nil {
		panic("views: an object without metadata: " + err.Error())
	}
	m.SetResourceVersion(formatVersion(v))
}

// annotated is for bookmarks.
func annotated(o runtime.Object, version uint64, initial bool) runtime.Object {
	setVersion(o, version)
	if initial {
		if m, err := meta.Accessor(o); err == nil {
			m.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
		}
	}

	return o
}
