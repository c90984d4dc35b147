package git

import (
	"errors"
	"fmt"
	"strings"
	"text/template"

	"github.com/dogker/dogker/reconciler/source"
)

const (
	// maxMessage is how long the message of a commit may be, in bytes.
	maxMessage = 64 << 10
	// maxListed is how many changes the plain message lists.
	maxListed = 20
)

// message of the commit: what the template of the request says, or the plain one. A template is a program of whoever wrote it:
// that it ends, and how much memory it takes, is for the process to see to that it runs in.
func message(r source.EditRequest, changes []source.Change) (string, error) {
	if r.Message == "" {
		return plainMessage(r.Image, changes), nil
	}

	refused := func(why string) error {
		return &source.Error{Reason: source.ReasonBuildFailed, Field: "messageTemplate", Message: why}
	}

	t, err := template.New("message").Option("missingkey=error").Parse(r.Message)
	if err != nil {
		return "", refused("is no template: " + strings.TrimPrefix(err.Error(), "template: message:"))
	}

	data := source.EditMessage{
		Policy: r.Image.Policy, Image: r.Image.Reference(), Tag: r.Image.Tag, Digest: r.Image.Digest, Changes: changes,
	}
	for _, c := range changes {
		if len(data.Files) == 0 || data.Files[len(data.Files)-1] != c.File {
			data.Files = append(data.Files, c.File)
		}
	}

	var text limited
	if err := t.Execute(&text, data); err != nil {
		return "", refused("cannot be filled in: " + strings.TrimPrefix(err.Error(), "template: message:"))
	}

	out := strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text.String(), "\x00", ""), "?"))
	if out == "" {
		return "", refused("comes to nothing: a commit has a message")
	}

	return out + "\n", nil
}

func plainMessage(image source.Image, changes []source.Change) string {
	var b strings.Builder

	fmt.Fprintf(&b, "Update %s to %s\n\n", image.Policy, image.Tag)

	for i, c := range changes {
		if i == maxListed {
			fmt.Fprintf(&b, "And %d more.\n", len(changes)-i)

			break
		}

		fmt.Fprintf(&b, "%s:%d: %s → %s\n", c.File, c.Line, c.OldValue, c.NewValue)
	}

	return b.String()
}

// limited is a text that does not grow without end.
type limited struct{ strings.Builder }

var errLong = errors.New("the message is longer than 64 KiB")

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxMessage {
		return 0, errLong
	}

	return l.Builder.Write(p)
}
