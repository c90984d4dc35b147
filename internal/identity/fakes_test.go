package identity

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

// memory is a KV in memory, shared by the servers of a test.
type memory struct {
	mu       sync.Mutex
	version  int64
	entries  map[string]Entry
	history  []Entry
	watchers []chan struct{}
	// down makes every call fail, and watches end.
	down bool
}

func newMemory() *memory { return &memory{entries: map[string]Entry{}} }

var errDown = fmt.Errorf("store is down")

func (m *memory) List(context.Context) ([]Entry, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, 0, errDown
	}
	var all []Entry
	for _, e := range m.entries {
		all = append(all, e)
	}

	return all, m.version, nil
}

func (m *memory) Get(_ context.Context, key string) (Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	switch {
	case m.down:
		return Entry{}, errDown
	case !ok:
		return Entry{}, ErrNotFound
	default:
		return e, nil
	}
}

func (m *memory) Put(_ context.Context, key string, value []byte, version int64) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return 0, errDown
	}
	if m.entries[key].Version != version {
		return 0, ErrConflict
	}
	m.version++
	m.entries[key] = Entry{Key: key, Value: value, Version: m.version}
	m.tell(m.entries[key])

	return m.version, nil
}

func (m *memory) Delete(_ context.Context, key string, version int64) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return 0, errDown
	}
	if e, ok := m.entries[key]; !ok || e.Version != version {
		return 0, ErrConflict
	}
	m.version++
	delete(m.entries, key)
	m.tell(Entry{Key: key, Version: m.version})

	return m.version, nil
}

func (m *memory) tell(e Entry) {
	m.history = append(m.history, e)
	for _, w := range m.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

func (m *memory) setDown(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
	for _, w := range m.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

func (m *memory) Watch(ctx context.Context, version int64, changed func([]Entry)) error {
	wake := make(chan struct{}, 1)
	m.mu.Lock()
	m.watchers = append(m.watchers, wake)
	m.mu.Unlock()

	for {
		m.mu.Lock()
		var news []Entry
		for _, e := range m.history {
			if e.Version > version {
				news = append(news, e)
			}
		}
		down := m.down
		m.mu.Unlock()
		if down {
			return errDown
		}
		if len(news) > 0 {
			version = news[len(news)-1].Version
			changed(news)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		}
	}
}

// crowd is People in memory.
type crowd struct {
	mu     sync.Mutex
	users  map[string]*v1alpha1.User
	tokens map[string]*v1alpha1.DeployToken
	made   int
	unsync bool
}

func newCrowd() *crowd {
	return &crowd{users: map[string]*v1alpha1.User{}, tokens: map[string]*v1alpha1.DeployToken{}}
}

func (c *crowd) Synced() bool { return !c.unsync }

func (c *crowd) User(name string) (*v1alpha1.User, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u, ok := c.users[name]

	return u, ok
}

func (c *crowd) Users() []*v1alpha1.User {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*v1alpha1.User
	for _, u := range c.users {
		all = append(all, u)
	}

	return all
}

func (c *crowd) DeployToken(namespace, name string) (*v1alpha1.DeployToken, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.tokens[namespace+"/"+name]

	return d, ok
}

func (c *crowd) ReadUser(_ context.Context, name string) (*v1alpha1.User, error) {
	if u, ok := c.User(name); ok {
		return u, nil
	}

	return nil, apierrors.NewNotFound(usersResource.GroupResource(), name)
}

func (c *crowd) ReadDeployToken(_ context.Context, namespace, name string) (*v1alpha1.DeployToken, error) {
	if d, ok := c.DeployToken(namespace, name); ok {
		return d, nil
	}

	return nil, apierrors.NewNotFound(deployTokensResource.GroupResource(), name)
}

func (c *crowd) CreateUser(_ context.Context, u *v1alpha1.User) (*v1alpha1.User, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.users[u.Name]; ok {
		return nil, apierrors.NewAlreadyExists(usersResource.GroupResource(), u.Name)
	}
	u = u.DeepCopy()
	c.made++
	u.UID = types.UID(fmt.Sprintf("uid-%s-%d", u.Name, c.made))
	c.users[u.Name] = u

	return u, nil
}

func (c *crowd) DeleteUser(_ context.Context, u *v1alpha1.User) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.users, u.Name)

	return nil
}

func (c *crowd) ReportUser(_ context.Context, u *v1alpha1.User, status v1alpha1.UserStatus) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := u.DeepCopy()
	if status.LastLoginTime == nil {
		status.LastLoginTime = changed.Status.LastLoginTime
	}
	changed.Status = status
	c.users[u.Name] = changed

	return nil
}

func (c *crowd) ReportDeployToken(_ context.Context, d *v1alpha1.DeployToken, status v1alpha1.DeployTokenStatus) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := d.DeepCopy()
	changed.Status = status
	c.tokens[d.Namespace+"/"+d.Name] = changed

	return nil
}

// change changes a User as an administrator would.
func (c *crowd) change(name string, f func(*v1alpha1.User)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.users[name].DeepCopy()
	f(u)
	c.users[name] = u
}

func (c *crowd) addToken(namespace, name string, spec v1alpha1.DeployTokenSpec) *v1alpha1.DeployToken {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	d := &v1alpha1.DeployToken{Spec: spec}
	d.Namespace, d.Name, d.UID = namespace, name, types.UID(fmt.Sprintf("0000-%d", c.made))
	c.tokens[namespace+"/"+name] = d

	return d
}

var discard = slog.New(slog.DiscardHandler)

const apiAudience = "https://api.test"

// cheap makes hashes that cost next to nothing.
var cheap = cost{memoryKiB: 64, passes: 1, lanes: 1}

// startServer is one server on the store. It runs until the test ends.
func startServer(t *testing.T, kv KV, people People) *Service {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	store := NewStore(kv, log)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = store.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	synctest.Wait()

	return NewService(store, people, newHasher(cheap), Options{
		Registration: RegistrationOpen, Lifetimes: DefaultLifetimes, Audiences: []string{apiAudience},
		Metrics: NewMetrics(prometheus.NewRegistry()), Log: log,
	})
}

const (
	goodPassword  = "correct horse battery"
	otherPassword = "wooden staple by the sea"
	home          = "192.0.2.1:5000"
)

// register makes a User with goodPassword.
func register(t *testing.T, s *Service, name string) {
	t.Helper()
	r := RegisterRequest{Username: name, Email: name + "@example.com", Password: goodPassword}
	if _, err := s.Register(t.Context(), r, fmt.Sprintf("198.51.100.%d:1", len(name))); err != nil {
		t.Fatalf("register %q: %v", name, err)
	}
}

func logIn(t *testing.T, s *Service, name string) Tokens {
	t.Helper()
	tokens, err := s.Login(t.Context(), LoginRequest{Username: name, Password: goodPassword}, home)
	if err != nil {
		t.Fatalf("log in as %q: %v", name, err)
	}

	return tokens
}

// inBubble runs the test with a clock of its own.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// counting counts reads.
type counting struct {
	*memory
	gets int
}

func (c *counting) Get(ctx context.Context, key string) (Entry, error) {
	c.gets++

	return c.memory.Get(ctx, key)
}
