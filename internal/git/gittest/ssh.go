package gittest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// SSH serves repositories over ssh to who has one key.
type SSH struct {
	// Root is where repositories belong.
	Root string
	// Identity is the private key that is let in, in PEM.
	Identity string
	// KnownHosts is the line by which the server is recognised.
	KnownHosts string
	address    string
}

// NewKey makes a key for ssh, in PEM and as a signer.
func NewKey(t testing.TB) (string, ssh.Signer) {
	t.Helper()

	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	block, err := ssh.MarshalPrivateKey(key, "test")
	if err != nil {
		t.Fatal(err)
	}

	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}

	return string(pem.EncodeToMemory(block)), signer
}

// NewSSH starts a server.
func NewSSH(t testing.TB) *SSH {
	t.Helper()

	identity, client := NewKey(t)
	_, host := NewKey(t)

	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !bytes.Equal(key.Marshal(), client.PublicKey().Marshal()) {
				return nil, io.EOF
			}

			return &ssh.Permissions{}, nil
		},
	}
	config.AddHostKey(host)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = l.Close() })

	s := &SSH{
		Root: t.TempDir(), Identity: identity, address: l.Addr().String(),
		KnownHosts: knownhosts.Line([]string{l.Addr().String()}, host.PublicKey()),
	}

	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}

			go s.serve(conn, config)
		}
	}()

	return s
}

// At is the URL of a repository.
func (s *SSH) At(name string) string { return "ssh://git@" + s.address + "/" + name }

func (s *SSH) serve(conn net.Conn, config *ssh.ServerConfig) {
	defer func() { _ = conn.Close() }()

	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}

	go ssh.DiscardRequests(requests)

	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}

		go s.session(channel, requests)
	}
}

// session runs git upload-pack or git receive-pack for the first exec request.
func (s *SSH) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer func() { _ = channel.Close() }()

	for r := range requests {
		service, path, ok := strings.Cut(string(r.Payload[min(4, len(r.Payload)):]), " '")
		ok = ok && (service == "git-upload-pack" || service == "git-receive-pack")
		_ = r.Reply(r.Type == "exec" && ok, nil)

		if r.Type != "exec" || !ok {
			continue
		}

		status := []byte{0, 0, 0, 0}
		dir := filepath.Join(s.Root, filepath.Clean("/"+strings.TrimSuffix(path, "'")))

		cmd := exec.Command("git", strings.TrimPrefix(service, "git-"), dir)
		cmd.Env = append(cmd.Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")
		cmd.Stdout, cmd.Stderr = channel, channel.Stderr()

		// Not cmd.Stdin: Wait would wait for the client to end its side.
		in, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}

		if err == nil {
			go func() {
				_, _ = io.Copy(in, channel)
				_ = in.Close()
			}()

			err = cmd.Wait()
		}

		if err != nil {
			status[3] = 1
		}

		_, _ = channel.SendRequest("exit-status", false, status)

		return
	}
}
