package s3

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/internal/voldata/store"
)

const (
	// dialPatience bounds a connection, and defaultIdle how long it may be still.
	dialPatience = 15 * time.Second
	defaultIdle  = 2 * time.Minute
	// answerPatience bounds how long a server may think. The last call of an upload puts all parts together.
	answerPatience = 10 * time.Minute
	// minPart is the smallest part that S3 takes, and maxPart the largest that is held in memory.
	minPart, maxPart = 5 << 20, 512 << 20
	// defaultPart allows for objects of 312 GiB.
	defaultPart = 32 << 20
	// maxParts is how many parts S3 takes.
	maxParts = 10_000
	// retries of one call; the caller of the store tries all of it again.
	retries = 5
)

// Options of a bucket.
type Options struct {
	// Endpoint such as https://s3.example.com or https://s3.example.com:9000.
	Endpoint string
	// Region of the bucket; empty means us-east-1, which servers that have none take.
	Region string
	Bucket string
	// Folder that all objects are in, with a slash at the end; empty means the whole bucket.
	Folder string
	// AccessKey and SecretKey sign requests.
	AccessKey, SecretKey string
	// CA holds the authorities that may have signed the certificate of the server, as PEM; those of the system when empty.
	CA []byte
	// PartSize in bytes; 0 means 32 MiB. One part of each upload is held in memory, and an object has at most 10,000.
	PartSize int64
	// AllowPrivate lets it dial every address, and speak HTTP.
	AllowPrivate bool
	// Idle is how long a server may neither send nor take anything; 0 means two minutes.
	Idle time.Duration
}

var (
	bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionPattern = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// check refuses what cannot be used, by field and value. It never repeats a secret.
func (o *Options) check() (*url.URL, error) {
	at, err := url.Parse(o.Endpoint)
	switch {
	case err != nil || at.Host == "" || at.User != nil || strings.Trim(at.Path, "/") != "" || at.RawQuery != "" || at.Fragment != "":
		return nil, errors.New("endpoint: must be a scheme and a host, such as https://s3.example.com")
	case at.Scheme != "https" && (at.Scheme != "http" || !o.AllowPrivate):
		return nil, fmt.Errorf("endpoint: scheme %q must be https", at.Scheme)
	case !bucketPattern.MatchString(o.Bucket) || strings.Contains(o.Bucket, ".."):
		return nil, fmt.Errorf("bucket: %q must be 3 to 63 of a-z, 0-9, - and ., beginning and ending with a letter or digit", o.Bucket)
	case o.Region != "" && !regionPattern.MatchString(o.Region):
		return nil, fmt.Errorf("region: %q must be 1 to 64 of a-z, 0-9 and -", o.Region)
	case o.AccessKey == "" || o.SecretKey == "":
		return nil, errors.New("credentials: both the access key and the secret key must be there")
	case o.PartSize != 0 && (o.PartSize < minPart || o.PartSize > maxPart):
		return nil, fmt.Errorf("part size: %d must be from %d to %d bytes", o.PartSize, minPart, maxPart)
	}
	if err := store.CheckFolder(o.Folder); err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}

	return at, nil
}

// New returns the store in a bucket. It asks nobody.
func New(o Options) (*Bucket, error) {
	at, err := o.check()
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(&o)
	if err != nil {
		return nil, err
	}

	client, err := minio.New(at.Host, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: at.Scheme == "https", Transport: transport,
		Region: cmp.Or(o.Region, "us-east-1"), MaxRetries: retries,
	})
	if err != nil {
		return nil, errors.New("endpoint: it cannot be used")
	}
	client.SetAppInfo("dogker", "1")

	return &Bucket{core: minio.Core{Client: client}, bucket: o.Bucket, folder: o.Folder, part: uint64(cmp.Or(o.PartSize, defaultPart))}, nil //nolint:gosec // It was checked.
}

func newTransport(o *Options) (http.RoundTripper, error) {
	dialer := &outbound.Dialer{AllowPrivate: o.AllowPrivate, Timeout: dialPatience}
	idle := cmp.Or(o.Idle, defaultIdle)

	t := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}

			return &moving{Conn: conn, idle: idle}, nil
		},
		TLSHandshakeTimeout:    dialPatience,
		ResponseHeaderTimeout:  answerPatience,
		IdleConnTimeout:        min(time.Minute, idle),
		MaxIdleConnsPerHost:    4,
		MaxResponseHeaderBytes: 64 << 10,
		// What is read is compressed already, and its length counts.
		DisableCompression: true,
		TLSClientConfig:    &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if len(o.CA) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(o.CA) {
			return nil, errors.New("certificate authorities: they hold no certificate in PEM")
		}
		t.TLSClientConfig.RootCAs = pool
	}

	return t, nil
}

// moving is a connection that ends when nothing moves on it. Either direction counts for both: a server that takes an upload
// has nothing to say meanwhile.
type moving struct {
	net.Conn
	idle time.Duration
}

func (m *moving) Read(p []byte) (int, error) {
	m.extend()
	n, err := m.Conn.Read(p)
	if n > 0 {
		m.extend()
	}

	return n, err
}

func (m *moving) Write(p []byte) (int, error) {
	// A large write moves in pieces, of which each one counts.
	const piece = 64 << 10

	for done := 0; ; {
		m.extend()
		n, err := m.Conn.Write(p[done:min(len(p), done+piece)])
		done += n
		if err != nil || done == len(p) {
			return done, err
		}
	}
}

// extend never fails on a connection that is open, and one that is closed says so itself.
func (m *moving) extend() { _ = m.Conn.SetDeadline(time.Now().Add(m.idle)) }
