package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync"
	"time"
)

// errNoAuthority is what fails before the authority has been read.
var errNoAuthority = errors.New("the authority of agents is not known yet")

// Identity is who a server is to agents, and how it knows them. It is safe for concurrent use.
type Identity struct {
	now func() time.Time

	mu        sync.Mutex
	authority *Authority // nil before the first Use
	own       *tls.Certificate
	// vouched is the key for which each node was certified last, and the container that it runs in.
	vouched map[string]vouched
}

// vouched is what a server has said of a node.
type vouched struct {
	container string
	key       [32]byte
}

// NewIdentity returns an identity that knows nobody yet.
func NewIdentity() *Identity {
	return &Identity{now: time.Now, vouched: map[string]vouched{}}
}

// Use makes an authority the one that counts. It is true when that is news: then connections made before are to agents that
// are about to be replaced.
func (i *Identity) Use(a *Authority) bool {
	i.mu.Lock()
	defer i.mu.Unlock()

	if i.authority != nil && bytes.Equal(i.authority.cert.Raw, a.cert.Raw) {
		return false
	}
	i.authority, i.own = a, nil
	clear(i.vouched)

	return true
}

// Known is true once there is an authority.
func (i *Identity) Known() bool {
	i.mu.Lock()
	defer i.mu.Unlock()

	return i.authority != nil
}

// Bundle is what agents are given; false before the authority is known. It is secret.
func (i *Identity) Bundle() ([]byte, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()

	if i.authority == nil {
		return nil, false
	}

	return i.authority.Bundle(), true
}

// ClientConfig is for a connection to the agent of a node, and to no other: one that has not been enrolled fails, too, and
// Unenrolled tells so. It is for one connection: ask again for the next.
func (i *Identity) ClientConfig(node string) *tls.Config { return i.config(nodeName(node)) }

func (i *Identity) config(name string) *tls.Config {
	c := &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"http/1.1"},
		ServerName: name,
		Time:       i.now,
		// An empty pool trusts nobody, where nil would be the system's.
		RootCAs:              x509.NewCertPool(),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return i.certificate() },
	}

	i.mu.Lock()
	defer i.mu.Unlock()

	if i.authority == nil {
		c.VerifyConnection = func(tls.ConnectionState) error { return errNoAuthority }
		return c
	}
	c.RootCAs = i.authority.roots()

	return c
}

// certificate is this server's own. Its key is made anew with it.
func (i *Identity) certificate() (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()

	switch {
	case i.authority == nil:
		return nil, errNoAuthority
	case i.own != nil && !due(i.own.Leaf.NotAfter, i.now()):
		return i.own, nil
	}

	key, err := newKey()
	if err != nil {
		return nil, err
	}
	cert, err := i.authority.issue(serverName, key.Public(), x509.ExtKeyUsageClientAuth, i.now())
	if err != nil {
		return nil, err
	}
	i.own = &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}

	return i.own, nil
}

// due is true in the last two thirds of a certificate's life, which leaves time for many tries.
func due(expires, now time.Time) bool { return expires.Sub(now) < 2*certificateLife/3 }

// Due tells whether an agent whose certificate expires then is to be certified again.
func (i *Identity) Due(expires time.Time) bool { return due(expires, i.now()) }

// Unenrolled is true for the error of a connection to an agent that has not been certified yet.
func Unenrolled(err error) bool {
	var wrong x509.HostnameError

	return errors.As(err, &wrong) && wrong.Certificate.VerifyHostname(bootstrapName) == nil
}
