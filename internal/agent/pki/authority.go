package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// The names that can be certified. The domain is one that never resolves: names are compared, not looked up.
const (
	domain        = ".agent.dogker.internal"
	serverName    = "server" + domain
	bootstrapName = "bootstrap" + domain
	nodeDomain    = ".node" + domain
)

// nodeName is the name of the agent of a node. IDs of nodes are letters and digits.
func nodeName(node string) string { return strings.ToLower(node) + nodeDomain }

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	// authorityRest is how long before its end an authority is replaced.
	authorityRest = 180 * 24 * time.Hour
	// certificateLife is how long a server or a node is who it is without anybody saying so again.
	certificateLife = 24 * time.Hour
	// backdated is by how much clocks of nodes may be behind ours.
	backdated = 24 * time.Hour
)

// Keys of the Secret that holds an authority.
const (
	keyAuthority    = "ca.crt"
	keyAuthorityKey = "ca.key"
	keyBootstrap    = "bootstrap.crt"
	keyBootstrapKey = "bootstrap.key"
)

// Authority certifies servers and agents. It does not change once it is made.
type Authority struct {
	data map[string][]byte
	cert *x509.Certificate
	key  crypto.Signer
}

// NewAuthority makes an authority with new keys.
func NewAuthority(now time.Time) (*Authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Dogker agents"},
		NotBefore:             now.Add(-backdated),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		// Whatever becomes of the key, it certifies nothing else.
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{domain},
	}
	cert, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}

	a := &Authority{cert: cert, key: key, data: map[string][]byte{keyAuthority: encodeCert(cert)}}
	if a.data[keyAuthorityKey], err = encodeKey(key); err != nil {
		return nil, err
	}

	return a, a.addBootstrap()
}

// addBootstrap lives as long as the authority: it proves no more than that somebody was given it.
func (a *Authority) addBootstrap() error {
	key, err := newKey()
	if err != nil {
		return err
	}
	cert, err := a.certify(bootstrapName, key.Public(), x509.ExtKeyUsageServerAuth, a.cert.NotBefore, a.cert.NotAfter)
	if err != nil {
		return err
	}

	a.data[keyBootstrap] = encodeCert(cert)
	a.data[keyBootstrapKey], err = encodeKey(key)

	return err
}

// ParseAuthority reads what Data has written.
func ParseAuthority(data map[string][]byte) (*Authority, error) {
	cert, err := parseCert(data[keyAuthority])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", keyAuthority, err)
	}
	key, err := parseKey(data[keyAuthorityKey])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", keyAuthorityKey, err)
	}
	if !key.Public().(*ecdsa.PublicKey).Equal(cert.PublicKey) {
		return nil, fmt.Errorf("read %s: it is not the key of %s", keyAuthorityKey, keyAuthority)
	}
	a := &Authority{cert: cert, key: key, data: data}
	if _, err := parseBundle(a.Bundle()); err != nil {
		return nil, err
	}

	return a, nil
}

// Data is what to keep of it, in a Secret.
func (a *Authority) Data() map[string][]byte { return a.data }

// Bundle is what agents are given: enough to know servers by, and to begin with. It is secret.
func (a *Authority) Bundle() []byte {
	var b []byte
	for _, key := range []string{keyAuthority, keyBootstrap, keyBootstrapKey} {
		b = append(b, a.data[key]...)
	}

	return b
}

// Expiring is true when it is time for another one.
func (a *Authority) Expiring(now time.Time) bool {
	return now.After(a.cert.NotAfter.Add(-authorityRest))
}

// roots is a pool of the authority alone.
func (a *Authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)

	return pool
}

// issue certifies a name for a day from now on.
func (a *Authority) issue(name string, public crypto.PublicKey, usage x509.ExtKeyUsage, now time.Time) (*x509.Certificate, error) {
	return a.certify(name, public, usage, now.Add(-backdated), now.Add(certificateLife))
}

func (a *Authority) certify(name string, public crypto.PublicKey, usage x509.ExtKeyUsage, from, until time.Time) (*x509.Certificate, error) {
	return sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: strings.TrimSuffix(name, domain)},
		DNSNames:    []string{name},
		NotBefore:   from,
		NotAfter:    until,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}, a.cert, public, a.key)
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("choose serial number: %w", err)
	}
	template.SerialNumber = serial

	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of %q: %w", template.Subject.CommonName, err)
	}

	return x509.ParseCertificate(der)
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}

	return key, nil
}

// Types of PEM blocks.
const (
	blockCert    = "CERTIFICATE"
	blockKey     = "PRIVATE KEY"
	blockRequest = "CERTIFICATE REQUEST"
)

func encodeCert(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockCert, Bytes: c.Raw})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}

	return pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der}), nil
}

// decode takes one block of a type from the begin of data.
func decode(data []byte, block string) (der, rest []byte, err error) {
	b, rest := pem.Decode(data)
	if b == nil || b.Type != block {
		return nil, nil, errors.New("there is no " + strings.ToLower(block) + " in it")
	}

	return b.Bytes, rest, nil
}

func parseCert(data []byte) (*x509.Certificate, error) {
	der, _, err := decode(data, blockCert)
	if err != nil {
		return nil, err
	}

	return x509.ParseCertificate(der)
}

func parseKey(data []byte) (*ecdsa.PrivateKey, error) {
	der, _, err := decode(data, blockKey)
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		// What the library says of a key may quote it.
		return nil, errors.New("the key cannot be read")
	}
	key, ok := any.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("the key is of another kind than ECDSA")
	}

	return key, nil
}
