package compose

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/compose-spec/compose-go/v2/types"
)

// The most that one file in a container may hold.
const (
	maxSecretBytes = 500 << 10
	maxConfigBytes = 1000 << 10
)

// Content is what a config or a secret holds.
type Content struct {
	Data []byte
	// Missing says why there is nothing, without naming any value; empty when there is.
	Missing string
	// Unfit is true for what no file in a container can hold, so that nothing can be made of it later.
	Unfit bool
}

// object is a config or a secret of a project, for what they have in common.
type object struct {
	types.FileObjectConfig
	max int64
}

func configObjects(p *types.Project) map[string]object {
	out := map[string]object{}
	for key, c := range p.Configs {
		out[key] = object{types.FileObjectConfig(c), maxConfigBytes}
	}

	return out
}

func secretObjects(p *types.Project) map[string]object {
	out := map[string]object{}
	for key, s := range p.Secrets {
		out[key] = object{types.FileObjectConfig(s), maxSecretBytes}
	}

	return out
}

// contents reads what the objects hold. A file that is not there is no error: it is often kept out of the repository, and
// what is missing can be made later by hand.
func contents(objects map[string]object) map[string]Content {
	out := map[string]Content{}
	for key, o := range objects {
		switch {
		case bool(o.External), o.Driver != "":
		case o.File != "":
			out[key] = o.fromFile()
		case o.Environment != "" && o.Content == "":
			out[key] = Content{Missing: fmt.Sprintf("the variable %q is not set, or empty", o.Environment)}
		default:
			out[key] = o.within([]byte(o.Content))
		}
	}

	return out
}

func (o object) fromFile() Content {
	file, err := os.Open(o.File)
	if errors.Is(err, fs.ErrNotExist) {
		return Content{Missing: "the file does not exist"}
	}
	if err != nil {
		return Content{Missing: "the file cannot be opened"}
	}
	defer file.Close()

	if info, err := file.Stat(); err == nil && !info.Mode().IsRegular() {
		return Content{Missing: "it is no regular file"}
	}
	data, err := io.ReadAll(io.LimitReader(file, o.max+1))
	if err != nil {
		return Content{Missing: "the file cannot be read"}
	}

	return o.within(data)
}

// within refuses what is too large for Swarm. Nothing at all is refused, too: Swarm takes no empty secret.
func (o object) within(data []byte) Content {
	switch {
	case int64(len(data)) > o.max:
		return Content{Missing: fmt.Sprintf("it has more than %d KiB, which is the most for one file", o.max>>10), Unfit: true}
	case len(data) == 0:
		return Content{Missing: "it is empty, and Swarm holds no empty files", Unfit: true}
	}

	return Content{Data: data}
}
