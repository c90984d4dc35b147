//go:build conformance

package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// TestMatrixCertificates: a certificate stands for somebody when the server's own authority has issued it, for clients,
// and it has not ended. With every other one its bearer is nobody, whatever name is in it.
func TestMatrixCertificates(t *testing.T) {
	authority, err := tls.LoadX509KeyPair(filepath.Join(shared.dir, "pki", "ca.pem"), filepath.Join(shared.dir, "pki", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	serving, err := tls.LoadX509KeyPair(filepath.Join(shared.dir, "pki", "server.pem"), filepath.Join(shared.dir, "pki", "server.pem"))
	if err != nil {
		t.Fatal(err)
	}
	stranger := certificate(t, nil, pkix.Name{CommonName: "dogker-ca"}, x509.ExtKeyUsageClientAuth, time.Now().Add(time.Hour))
	admin := pkix.Name{CommonName: "dogker:admin", Organization: []string{"system:masters"}}
	later, earlier := time.Now().Add(time.Hour), time.Now().Add(-time.Minute)

	for claim, tc := range map[string]struct {
		reason      string
		certificate tls.Certificate
		want        int
	}{
		"Somebody":     {"The others would be no test if none were good.", certificate(t, &authority, pkix.Name{CommonName: "jane"}, x509.ExtKeyUsageClientAuth, later), http.StatusForbidden},
		"Admin":        {"Nor if nobody could read anything.", certificate(t, &authority, admin, x509.ExtKeyUsageClientAuth, later), http.StatusOK},
		"Ended":        {"It was good.", certificate(t, &authority, admin, x509.ExtKeyUsageClientAuth, earlier), http.StatusUnauthorized},
		"ForServers":   {"Whoever has the key of a server is no client.", certificate(t, &authority, admin, x509.ExtKeyUsageServerAuth, later), http.StatusUnauthorized},
		"TheServers":   {"The server's own neither.", serving, http.StatusUnauthorized},
		"OfItself":     {"Anybody can write any name.", certificate(t, nil, admin, x509.ExtKeyUsageClientAuth, later), http.StatusUnauthorized},
		"OfAnother":    {"The name of an authority is no authority.", certificate(t, &stranger, admin, x509.ExtKeyUsageClientAuth, later), http.StatusUnauthorized},
		"OfTheServers": {"Only an authority issues.", certificate(t, &serving, admin, x509.ExtKeyUsageClientAuth, later), http.StatusUnauthorized},
		"WithoutAName": {"A certificate without a name stands for nobody.", certificate(t, &authority, pkix.Name{}, x509.ExtKeyUsageClientAuth, later), http.StatusForbidden},
	} {
		t.Run(claim, func(t *testing.T) {
			client := connect(t, rest.AnonymousClientConfig(shared.config(t)))
			// Left to itself, a client sends only what the server says it accepts.
			client.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &tc.certificate, nil
			}
			b := &border{server: shared}
			if code, body := b.send(t, client, request{target: "/api/v1/namespaces"}); code != tc.want {
				t.Errorf("%d %.200s, want %d: %s", code, body, tc.want, tc.reason)
			}
		})
	}
}

// certificate is one that the issuer has issued; without one it issues itself, and may issue others.
func certificate(t *testing.T, issuer *tls.Certificate, subject pkix.Name, usage x509.ExtKeyUsage, end time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: subject, NotBefore: time.Now().Add(-time.Hour), NotAfter: end,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{usage},
		BasicConstraintsValid: true, IsCA: issuer == nil,
	}
	parent, signer := template, any(key)
	if issuer != nil {
		parent, signer = issuer.Leaf, issuer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}

	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
