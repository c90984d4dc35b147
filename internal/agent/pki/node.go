package pki

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Request is what an agent asks a server to certify.
type Request struct {
	// Node is the ID of the agent's node, as its engine says.
	Node string `json:"node"`
	// Request is a PEM block with the agent's key, signed by it.
	Request []byte `json:"request"`
	// Proof that the owner of the key knows the ID of the agent's container.
	Proof []byte `json:"proof"`
}

// Certificate is what the server answers with.
type Certificate struct {
	// Certificate is a PEM block.
	Certificate []byte `json:"certificate"`
}

// Node is who an agent is. It is safe for concurrent use.
type Node struct {
	node, container string
	roots           *x509.CertPool
	bootstrap       tls.Certificate
	key             *ecdsa.PrivateKey
	now             func() time.Time

	mu  sync.Mutex
	own *tls.Certificate // nil until a server has certified it.
}

// bundle is what agents are given, read.
type bundle struct {
	roots     *x509.CertPool
	bootstrap tls.Certificate
}

func parseBundle(data []byte) (bundle, error) {
	der, rest, err := decode(data, blockCert)
	if err != nil {
		return bundle{}, fmt.Errorf("read authority of agents: %w", err)
	}
	authority, err := x509.ParseCertificate(der)
	if err != nil {
		return bundle{}, fmt.Errorf("read authority of agents: %w", err)
	}
	pair, err := tls.X509KeyPair(rest, rest)
	if err != nil {
		return bundle{}, fmt.Errorf("read bootstrap certificate: %w", err)
	}

	b := bundle{roots: x509.NewCertPool(), bootstrap: pair}
	b.roots.AddCert(authority)

	return b, nil
}

// NewNode returns the identity of the agent of a node, by the bundle that Swarm gave it: bootstrap, until a server has
// certified it. container is the ID of its own container.
func NewNode(data []byte, node, container string) (*Node, error) {
	b, err := parseBundle(data)
	if err != nil {
		return nil, err
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}

	return &Node{node: node, container: container, roots: b.roots, bootstrap: b.bootstrap, key: key, now: time.Now}, nil
}

// Request returns what to ask a server. It is about the same key for as long as the process lives, so that it may be asked
// for as often as one likes.
func (n *Node) Request() (Request, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: n.node}, DNSNames: []string{nodeName(n.node)},
	}, n.key)
	if err != nil {
		return Request{}, fmt.Errorf("make request for a certificate: %w", err)
	}
	proof, err := proofOf(n.container, n.node, &n.key.PublicKey)
	if err != nil {
		return Request{}, err
	}

	return Request{Node: n.node, Request: pem.EncodeToMemory(&pem.Block{Type: blockRequest, Bytes: der}), Proof: proof}, nil
}

// proofOf binds a key to a container, for who knows the container's ID.
func proofOf(container, node string, key any) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}

	mac := hmac.New(sha256.New, []byte(container))
	mac.Write([]byte("dogker agent enrolment v1\x00" + node + "\x00"))
	mac.Write(public)

	return mac.Sum(nil), nil
}

// Accept takes what a server has certified, if it is this node and this key.
func (n *Node) Accept(c Certificate) error {
	cert, err := parseCert(c.Certificate)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	if !n.key.PublicKey.Equal(cert.PublicKey) {
		return errors.New("take certificate: it is for another key")
	}
	if _, err := cert.Verify(x509.VerifyOptions{
		Roots: n.roots, DNSName: nodeName(n.node), CurrentTime: n.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}); err != nil {
		return fmt.Errorf("take certificate: %w", err)
	}

	n.mu.Lock()
	defer n.mu.Unlock()

	n.own = &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: n.key, Leaf: cert}

	return nil
}

// Expires is when it has to be certified again; the zero time when it has not been.
func (n *Node) Expires() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()

	if n.own == nil {
		return time.Time{}
	}

	return n.own.Leaf.NotAfter
}

// ServerConfig lets in servers, and nobody else. From the node itself it also lets in whoever shows no certificate at all,
// which is for the check of its health: the handler has to look who it talks to, by IsServer.
func (n *Node) ServerConfig() *tls.Config {
	strict := &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{"http/1.1"},
		SessionTicketsDisabled: true,
		Time:                   func() time.Time { return n.now() },
		GetCertificate:         n.certificate,
		ClientAuth:             tls.RequireAndVerifyClientCert,
		ClientCAs:              n.roots,
		VerifyConnection:       verifyServer,
	}
	local := strict.Clone()
	local.ClientAuth = tls.VerifyClientCertIfGiven

	strict.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if a, ok := hello.Conn.RemoteAddr().(*net.TCPAddr); ok && a.IP.IsLoopback() {
			return local, nil
		}

		return nil, nil
	}

	return strict
}

// certificate is its own while that is good. The servers may have been away for longer than a day: then it begins anew.
func (n *Node) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	n.mu.Lock()
	defer n.mu.Unlock()

	if n.own != nil && n.now().Before(n.own.Leaf.NotAfter) {
		return n.own, nil
	}

	return &n.bootstrap, nil
}

// verifyServer refuses who has a certificate of the authority and is no server: another agent.
func verifyServer(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 || IsServer(cs) {
		return nil
	}

	return fmt.Errorf("%q is no server", cs.PeerCertificates[0].Subject.CommonName)
}

// IsServer is true for a connection whose other end has proven to be a server.
func IsServer(cs tls.ConnectionState) bool {
	return len(cs.VerifiedChains) > 0 && cs.PeerCertificates[0].VerifyHostname(serverName) == nil
}

// HealthConfig is how a check on the node itself knows the agent: by the authority, whether it has been certified or not.
func HealthConfig(data []byte) (*tls.Config, error) {
	b, err := parseBundle(data)
	if err != nil {
		return nil, err
	}

	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		// The name may be one of two, so that what is left out here is done below.
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies.
		VerifyConnection: func(cs tls.ConnectionState) error {
			_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: b.roots})
			return err
		},
	}, nil
}
