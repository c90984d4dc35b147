package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/dogker/dogker/reconciler/source"
)

// maxRequest is how large a request may be, with all its keys and variables.
const maxRequest = 8 << 20

// task is what a worker is asked.
type task struct {
	Request source.Request `json:"request,omitzero"`
	// Refs asks for a list of references, instead of a build.
	Refs *source.RefsRequest `json:"refs,omitempty"`
	// Edit asks for a commit, instead of a build.
	Edit *source.EditRequest `json:"edit,omitempty"`
	// MemoryBytes is how much memory the worker should get along with.
	MemoryBytes int64 `json:"memoryBytes"`
	// Alone is true when nobody else has the worker's user ID, so that its threads can be counted.
	Alone bool `json:"alone,omitempty"`
}

// line is one of a worker's answer. Exactly one field is set.
type line struct {
	// Ready is the first line: from here on the worker waits for its request.
	Ready bool `json:"ready,omitempty"`
	// Object is one of those that were built; Built comes after the last, without objects.
	Object *source.Object `json:"object,omitempty"`
	Built  *source.Built  `json:"built,omitempty"`
	// Refs is the answer to a question for references.
	Refs *source.Refs `json:"refs,omitempty"`
	// Edited is the answer to a question for a commit.
	Edited *source.Edited `json:"edited,omitempty"`
	Error  *source.Error  `json:"error,omitempty"`
}

// errAnswer means that a worker does not answer the way workers do.
var errAnswer = errors.New("the worker's answer is none")

// answer reads what a worker says after it is ready, and believes only what a worker could say that obeys its limits. It returns an
// error that is no *source.Error where there is no answer.
func answer(d *json.Decoder, limits source.Limits) (source.Built, error) {
	var (
		objects []source.Object
		bytes   int64
	)

	for {
		var l line
		if err := d.Decode(&l); err != nil {
			return source.Built{}, fmt.Errorf("%w: %w", errAnswer, err)
		}

		switch {
		case l.Error != nil:
			return source.Built{}, readable(l.Error)
		case l.Object != nil:
			bytes += int64(len(l.Object.JSON))
			if len(objects) >= limits.Documents || bytes > limits.OutputBytes || !isObject(l.Object.JSON) {
				return source.Built{}, errAnswer
			}

			l.Object.File = plain(l.Object.File)
			objects = append(objects, *l.Object)
		case l.Built != nil:
			return checked(*l.Built, objects)
		default:
			return source.Built{}, errAnswer
		}
	}
}

// checked is an answer whose form is that of one.
func checked(b source.Built, objects []source.Object) (source.Built, error) {
	if b.Revision == "" || plain(b.Revision) != b.Revision || !strings.HasSuffix(b.Revision, "sha1:"+b.Commit.Hash) || len(b.Commit.Hash) != 40 {
		return source.Built{}, errAnswer
	}

	b.Commit.Author, b.Commit.Subject, b.Signer = plain(b.Commit.Author), plain(b.Commit.Subject), plain(b.Signer)
	b.Objects, b.Digest = objects, ""

	if !b.Unchanged {
		b.Digest = source.DigestOf(objects)
	}

	return b, nil
}

// isObject tells whether JSON is an object; that it is JSON the decoder has seen.
func isObject(data []byte) bool { return len(data) > 0 && data[0] == '{' }

// readable is an error that fits a condition.
func readable(e *source.Error) *source.Error {
	e.File, e.Field, e.Message, e.Revision = plain(e.File), plain(e.Field), plain(e.Message), plain(e.Revision)
	e.Reason = source.Reason(strings.Map(func(c rune) rune {
		if c > unicode.MaxASCII || !unicode.IsLetter(c) {
			return -1
		}

		return c
	}, string(e.Reason)))

	if e.Reason == "" || len(e.Reason) > 64 {
		e.Reason = source.ReasonBuildFailed
	}

	return e
}

// maxText is the longest text that is shown of a worker.
const maxText = 1000

// plain is a text without control characters, not too long.
func plain(s string) string {
	s = strings.ToValidUTF8(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return -1
		}

		return c
	}, s), "?")

	if runes := []rune(s); len(runes) > maxText {
		return string(runes[:maxText-1]) + "…"
	}

	return s
}

// reply writes an answer.
func reply(w io.Writer, b source.Built, err error) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)

	if err != nil {
		return e.Encode(line{Error: shown(err)})
	}

	for i := range b.Objects {
		if err := e.Encode(line{Object: &b.Objects[i]}); err != nil {
			return err
		}
	}

	b.Objects = nil

	return e.Encode(line{Built: &b})
}

// replyRefs writes the answer to a question for references.
func replyRefs(w io.Writer, refs source.Refs, err error) error {
	if err != nil {
		return json.NewEncoder(w).Encode(line{Error: shown(err)})
	}

	return json.NewEncoder(w).Encode(line{Refs: &refs})
}

// replyEdited writes the answer to a question for a commit.
func replyEdited(w io.Writer, edited source.Edited, err error) error {
	if err != nil {
		return json.NewEncoder(w).Encode(line{Error: shown(err)})
	}

	return json.NewEncoder(w).Encode(line{Edited: &edited})
}

// shown is an error in the form in which it travels.
func shown(err error) *source.Error {
	var known *source.Error
	if errors.As(err, &known) {
		return known
	}

	return &source.Error{Reason: source.ReasonWorkerFailed, Transient: true, Message: "the build failed"}
}
