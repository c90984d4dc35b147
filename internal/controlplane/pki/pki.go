package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dogker/dogker/internal/controlplane/datadir"
)

const (
	authorityLifetime = 10 * 365 * 24 * time.Hour
	leafLifetime      = 365 * 24 * time.Hour
	// renewBefore is how long before its end a certificate is replaced. It is long, because a server that nobody
	// restarts, and a kubeconfig that somebody copied, must both have time to notice.
	renewBefore = 90 * 24 * time.Hour
	// backdate forgives clients whose clock is behind.
	backdate = time.Hour

	certificateBlock = "CERTIFICATE"
	// privateKeyBlock is the older of the two forms of an elliptic key, and the only one from which the API server
	// derives the public key of service-account tokens.
	privateKeyBlock = "EC PRIVATE KEY"
)

// AdminUser is the name in the administrator's certificate.
const AdminUser = "dogker:admin"

// Bundle is what Ensure has made sure of.
type Bundle struct {
	// CA is the authority's certificate, in PEM.
	CA []byte
	// AdminCert and AdminKey are the administrator's, in PEM.
	AdminCert, AdminKey []byte
	// CAFile, ServerFile and TokenKeyFile are where the API server reads the authority's certificate, its serving
	// certificate with key, and the key that signs service-account tokens.
	CAFile, ServerFile, TokenKeyFile string
}

// leaf is a certificate that the authority issues.
type leaf struct {
	subject pkix.Name
	usage   x509.ExtKeyUsage
	hosts   []string
}

// Ensure makes what is missing, and replaces what nears its end, does not belong to the authority, or does not name
// exactly the hosts.
func Ensure(dir string, hosts []string, now time.Time) (Bundle, error) {
	ca, err := ensureAuthority(filepath.Join(dir, "ca.pem"), now)
	if err != nil {
		return Bundle{}, err
	}

	b := Bundle{
		CA:           pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: ca.cert.Raw}),
		CAFile:       filepath.Join(dir, "ca.crt"),
		ServerFile:   filepath.Join(dir, "server.pem"),
		TokenKeyFile: filepath.Join(dir, "service-account.key"),
	}
	if err := datadir.WriteFile(b.CAFile, b.CA); err != nil {
		return Bundle{}, err
	}
	if err := ensureTokenKey(b.TokenKeyFile); err != nil {
		return Bundle{}, err
	}

	server := leaf{subject: pkix.Name{CommonName: "dogker"}, usage: x509.ExtKeyUsageServerAuth, hosts: hosts}
	if _, _, err := ensureLeaf(b.ServerFile, ca, server, now); err != nil {
		return Bundle{}, err
	}
	admin := leaf{
		subject: pkix.Name{CommonName: AdminUser, Organization: []string{"system:masters"}},
		usage:   x509.ExtKeyUsageClientAuth,
	}
	b.AdminCert, b.AdminKey, err = ensureLeaf(filepath.Join(dir, "admin.pem"), ca, admin, now)

	return b, err
}

// pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func ensureAuthority(path string, now time.Time) (pair, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		template := &x509.Certificate{
			Subject:               pkix.Name{CommonName: "dogker-ca"},
			NotAfter:              now.Add(authorityLifetime),
			IsCA:                  true,
			BasicConstraintsValid: true,
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if raw, err = issue(template, nil, now); err == nil {
			err = datadir.WriteFile(path, raw)
		}
	}
	if err != nil {
		return pair{}, fmt.Errorf("make certificate authority: %w", err)
	}

	ca, err := parse(raw)
	if err != nil {
		return pair{}, fmt.Errorf("read certificate authority from %q: %w", path, err)
	}
	if now.After(ca.cert.NotAfter) {
		return pair{}, fmt.Errorf("certificate authority in %q has expired on %s", path, ca.cert.NotAfter.Format(time.DateOnly))
	}

	return ca, nil
}

// ensureLeaf returns what the file holds: certificate and key, in PEM.
func ensureLeaf(path string, ca pair, want leaf, now time.Time) (cert, key []byte, err error) {
	if raw, err := os.ReadFile(path); err == nil {
		if have, err := parse(raw); err == nil && serves(have, ca, want, now) {
			return split(raw)
		}
	}

	template := &x509.Certificate{
		Subject:     want.subject,
		NotAfter:    earlier(now.Add(leafLifetime), ca.cert.NotAfter),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{want.usage},
	}
	template.DNSNames, template.IPAddresses = splitHosts(want.hosts)

	raw, err := issue(template, &ca, now)
	if err != nil {
		return nil, nil, fmt.Errorf("issue certificate %q: %w", want.subject.CommonName, err)
	}
	if err := datadir.WriteFile(path, raw); err != nil {
		return nil, nil, err
	}

	return split(raw)
}

// split takes the content of a file apart that parse has accepted, or issue has made.
func split(raw []byte) (cert, key []byte, err error) {
	block, key := pem.Decode(raw)
	if block == nil {
		return nil, nil, errors.New("certificate is missing")
	}

	return pem.EncodeToMemory(block), key, nil
}

// serves says whether a certificate can stay.
func serves(have, ca pair, want leaf, now time.Time) bool {
	names, ips := splitHosts(want.hosts)
	sameIP := func(a, b net.IP) bool { return a.Equal(b) }

	return now.Before(have.cert.NotAfter.Add(-renewBefore)) &&
		have.cert.CheckSignatureFrom(ca.cert) == nil &&
		have.cert.Subject.String() == want.subject.String() &&
		slices.Contains(have.cert.ExtKeyUsage, want.usage) &&
		slices.Equal(have.cert.DNSNames, names) &&
		slices.EqualFunc(have.cert.IPAddresses, ips, sameIP)
}

// splitHosts sorts hosts into names and addresses, each once, in a stable order.
func splitHosts(hosts []string) (names []string, ips []net.IP) {
	sorted := slices.Compact(slices.Sorted(slices.Values(hosts)))
	for _, h := range sorted {
		if ip := net.ParseIP(h); ip != nil {
			ips = append(ips, ip)
		} else {
			names = append(names, h)
		}
	}

	return names, ips
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}

	return b
}

// issue signs the template with a new key; without a parent it signs itself. It returns certificate and key, in PEM.
func issue(template *x509.Certificate, parent *pair, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	if parent == nil {
		parent = &pair{cert: template, key: key}
	}

	template.NotBefore = now.Add(-backdate)
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("generate serial number: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}

	return append(pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: der}), keyPEM...), nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}

	return pem.EncodeToMemory(&pem.Block{Type: privateKeyBlock, Bytes: der}), nil
}

// parse reads a certificate and a key, and holds them against each other.
func parse(raw []byte) (pair, error) {
	var p pair
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case certificateBlock:
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return pair{}, fmt.Errorf("parse certificate: %w", err)
			}
			p.cert = cert
		case privateKeyBlock:
			key, err := x509.ParseECPrivateKey(block.Bytes)
			if err != nil {
				return pair{}, fmt.Errorf("parse key: %w", err)
			}
			p.key = key
		}
	}

	if p.cert == nil || p.key == nil {
		return pair{}, errors.New("certificate or key is missing")
	}
	if public, ok := p.cert.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(p.key.Public()) {
		return pair{}, errors.New("certificate and key do not match")
	}

	return p, nil
}

// ensureTokenKey makes the key that signs service-account tokens.
func ensureTokenKey(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read service-account key: %w", err)
	}

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("generate service-account key: %w", err)
	}
	raw, err := encodeKey(key)
	if err != nil {
		return err
	}

	return datadir.WriteFile(path, raw)
}

// SelfSigned makes a serving certificate for one name that nobody but its holder knows, for connections of a process to
// itself. It returns certificate and key, in PEM.
func SelfSigned(name string, now time.Time, lifetime time.Duration) (cert, key []byte, err error) {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		DNSNames:    []string{name},
		NotAfter:    now.Add(lifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := issue(template, nil, now)
	if err != nil {
		return nil, nil, fmt.Errorf("issue certificate %q: %w", name, err)
	}

	return split(raw)
}
