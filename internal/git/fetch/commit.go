package fetch

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/dogker/dogker/reconciler/source"
)

const (
	maxAuthor  = 100
	maxSubject = 200
	// lastYear is the last one that fits a timestamp of Kubernetes.
	lastYear = 9999
)

// errMalformed means that an object is not what Git writes.
var errMalformed = errors.New("the object is malformed")

// signed is a commit or a tag, taken apart by hand. Its signature covers bytes, and a reader that knows fewer headers than Git
// would put other bytes together than those that were signed.
type signed struct {
	// headers are the values of headers by their names; of those that Git reads once there is one.
	headers map[string][]string
	message []byte
	// payload is what was signed, and signature what was made of it; it is empty when nobody signed.
	payload   []byte
	signature string
}

// signatureHeaders hold signatures, and are no part of what they sign.
var signatureHeaders = map[string]bool{"gpgsig": true, "gpgsig-sha256": true}

// parseCommit takes a commit apart.
func parseCommit(data []byte) (signed, error) {
	c, err := parseHeaders(data)
	if err != nil {
		return signed{}, err
	}

	if len(c.headers["tree"]) != 1 || !bytes.HasPrefix(data, []byte("tree ")) || len(c.headers["gpgsig"]) > 1 {
		return signed{}, errMalformed
	}

	if sig := c.headers["gpgsig"]; len(sig) == 1 {
		c.signature = sig[0]
	}

	return c, nil
}

// parseTag takes a tag apart. Its signature is the end of its message.
func parseTag(data []byte) (signed, error) {
	t, err := parseHeaders(data)
	if err != nil {
		return signed{}, err
	}

	if len(t.headers["object"]) != 1 || len(t.headers["type"]) != 1 || !bytes.HasPrefix(data, []byte("object ")) {
		return signed{}, errMalformed
	}

	t.payload = data

	for _, begin := range []string{beginPGP, beginSSH} {
		if i := bytes.LastIndex(data, []byte("\n"+begin)); i >= 0 {
			t.payload, t.signature = data[:i+1], string(data[i+1:])
		}
	}

	return t, nil
}

// parseHeaders reads headers up to the empty line, and what was signed where signatures are headers.
func parseHeaders(data []byte) (signed, error) {
	s := signed{headers: map[string][]string{}}

	var (
		payload bytes.Buffer
		name    string
	)

	for rest := data; ; {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			return signed{}, errMalformed
		}

		if len(line) == 0 {
			s.message = after
			payload.Write(rest)

			break
		}

		if value, continued := bytes.CutPrefix(line, []byte(" ")); continued {
			values := s.headers[name]
			if len(values) == 0 {
				return signed{}, errMalformed
			}

			values[len(values)-1] += "\n" + string(value)
		} else {
			key, value, _ := bytes.Cut(line, []byte(" "))
			name = string(key)
			s.headers[name] = append(s.headers[name], string(value))
		}

		if !signatureHeaders[name] {
			payload.Write(rest[:len(line)+1])
		}

		rest = after
	}

	s.payload = payload.Bytes()

	return s, nil
}

// tree is the hash of the commit's tree.
func (s signed) tree() (plumbing.Hash, error) {
	h := s.headers["tree"][0]
	if !fullHash.MatchString(h) {
		return plumbing.ZeroHash, errMalformed
	}

	return plumbing.NewHash(h), nil
}

// describe is what people know the commit by. Everything in it was chosen by whoever wrote it.
func (s signed) describe(hash plumbing.Hash) source.Commit {
	c := source.Commit{Hash: hash.String()}

	if author := s.headers["author"]; len(author) > 0 {
		name, _, _ := strings.Cut(author[0], "<")
		c.Author = clean(name, maxAuthor)
	}

	if committer := s.headers["committer"]; len(committer) > 0 {
		c.Time = moment(committer[0])
	}

	subject, _, _ := bytes.Cut(bytes.TrimLeft(s.message[:min(len(s.message), 64<<10)], "\n\r\t "), []byte("\n"))
	c.Subject = clean(string(subject), maxSubject)

	return c
}

// moment is the time at the end of a line of the form "Name <mail> 1700000000 +0100", or none.
func moment(line string) time.Time {
	_, after, ok := strings.Cut(line, ">")
	fields := strings.Fields(after)

	if !ok || len(fields) == 0 {
		return time.Time{}
	}

	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}
	}

	if t := time.Unix(seconds, 0).UTC(); t.Year() <= lastYear && t.Year() >= 1970 {
		return t
	}

	return time.Time{}
}
