package login

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/dogker/dogker/internal/identity"
)

// refreshAhead is how long before its end an access token is refreshed, so that it is good when it arrives.
const refreshAhead = 20 * time.Second

// ErrLoggedOut says that there is no session, or no longer.
var ErrLoggedOut = errors.New("not logged in")

// Session is what is kept of a login.
type Session struct {
	Server   string          `json:"server"`
	Username string          `json:"username"`
	CA       []byte          `json:"ca,omitempty"`
	Tokens   identity.Tokens `json:"tokens"`
}

// Sessions are kept in a directory, one file each, readable by their owner only.
type Sessions struct {
	dir string
}

// DefaultSessions are those of the user of this machine.
func DefaultSessions() (Sessions, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return Sessions{}, fmt.Errorf("find the directory of your configuration: %w", err)
	}

	return SessionsIn(filepath.Join(dir, "dogker", "sessions")), nil
}

// SessionsIn are those in a directory.
func SessionsIn(dir string) Sessions { return Sessions{dir: dir} }

func (s Sessions) path(server, username string) string {
	sum := sha256.Sum256([]byte(server + "\n" + username))

	return filepath.Join(s.dir, hex.EncodeToString(sum[:16])+".json")
}

// Save keeps a session, in place of the one before.
func (s Sessions) Save(session Session) error {
	unlock, err := s.lock(session.Server, session.Username)
	if err != nil {
		return err
	}
	defer unlock()

	return s.write(session)
}

// Load reads a session, or fails with ErrLoggedOut.
func (s Sessions) Load(server, username string) (Session, error) {
	raw, err := os.ReadFile(s.path(server, username))
	if errors.Is(err, fs.ErrNotExist) {
		return Session{}, ErrLoggedOut
	}
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	var session Session
	if err := json.Unmarshal(raw, &session); err != nil {
		return Session{}, fmt.Errorf("read session from %q: it is damaged: log in again", s.path(server, username))
	}

	return session, nil
}

// Remove forgets a session. One that is not there is no error.
func (s Sessions) Remove(server, username string) error {
	unlock, err := s.lock(server, username)
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.Remove(s.path(server, username)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget session: %w", err)
	}

	return nil
}

// Fresh returns a session whose access token is good for a while, refreshed if need be. Of several programs that ask at
// the same time one refreshes and the others wait for it.
func (s Sessions) Fresh(ctx context.Context, server, username string) (Session, error) {
	session, err := s.Load(server, username)
	if err != nil || fresh(session, time.Now()) {
		return session, err
	}
	unlock, err := s.lock(server, username)
	if err != nil {
		return Session{}, err
	}
	defer unlock()
	if session, err = s.Load(server, username); err != nil || fresh(session, time.Now()) {
		return session, err
	}

	client, err := NewClient(session.Server, session.CA)
	if err != nil {
		return Session{}, err
	}
	session.Tokens, err = client.Refresh(ctx, session.Tokens.RefreshToken)
	if apierrors.IsUnauthorized(err) {
		return Session{}, fmt.Errorf("%w: the session is over", ErrLoggedOut)
	}
	if err != nil {
		return Session{}, fmt.Errorf("refresh session: %w", err)
	}

	return session, s.write(session)
}

func fresh(s Session, now time.Time) bool {
	return now.Add(refreshAhead).Before(s.Tokens.AccessExpirationTime)
}

// write replaces the file in one step: whoever reads it finds the old tokens or the new ones.
func (s Sessions) write(session Session) error {
	raw, err := json.Marshal(session)
	if err != nil {
		return fmt.Errorf("encode session: %w", err)
	}
	tmp, err := os.CreateTemp(s.dir, ".session-*")
	if err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(raw)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	if err := os.Rename(tmp.Name(), s.path(session.Server, session.Username)); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}

	return nil
}

// lock keeps other programs from the session until it is released. The file stays, so that nobody locks its successor.
func (s Sessions) lock(server, username string) (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of sessions: %w", err)
	}
	f, err := os.OpenFile(s.path(server, username)+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock session: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock session: %w", err)
	}

	return func() { f.Close() }, nil
}
