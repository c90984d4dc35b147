package compose_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dogker/dogker/internal/compose"
	"github.com/dogker/dogker/reconciler/golden"
)

// leastStacks is how many there are at least, so that none is lost with its folder.
const leastStacks = 50

// TestStacks converts Compose files that are written as those of well-known applications are. A folder is a stack; the file
// args in it holds what would stand on the command line, and the golden files what comes out. What comes out is accepted by
// the schema and the rules of our kinds.
func TestStacks(t *testing.T) {
	folders, err := filepath.Glob("testdata/stacks/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) < leastStacks {
		t.Errorf("there are %d stacks, want at least %d", len(folders), leastStacks)
	}

	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			manifests, report := convert(t, folder)
			if again, said := convert(t, folder); !bytes.Equal(again, manifests) || said != report {
				t.Error("the same files gave something else the second time")
			}
			golden.Check(t, filepath.Join(folder, "manifests.golden"), string(manifests))
			golden.Check(t, filepath.Join(folder, "report.golden"), report)

			refused, err := refusals(t.Context(), manifests)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range refused {
				t.Errorf("a server would refuse it: %s", r)
			}
		})
	}
}

func convert(t *testing.T, folder string) (manifests []byte, report string) {
	t.Helper()
	stack, err := compose.Load(t.Context(), source(t, folder))
	if err != nil {
		t.Fatal(err)
	}
	result := compose.Convert(stack, compose.Options{Namespace: "acme"})
	manifests, err = written(result)
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if err := result.WriteReport(&said); err != nil {
		t.Fatal(err)
	}

	return manifests, said.String()
}

// source is what the file args of a folder asks for. Variables are those named in it, and none of the machine's.
func source(t *testing.T, folder string) compose.Source {
	t.Helper()
	src := compose.Source{Dir: folder}
	data, err := os.ReadFile(filepath.Join(folder, "args"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	words := strings.Fields(string(data))
	for i := 0; i < len(words); i++ {
		if strings.Contains(words[i], "=") {
			src.Environ = append(src.Environ, words[i])
			continue
		}
		if i+1 == len(words) {
			t.Fatalf("%s/args: %s has no value", folder, words[i])
		}
		switch flag, value := words[i], words[i+1]; flag {
		case "-f":
			src.Files = append(src.Files, filepath.Join(folder, value))
		case "--profile":
			src.Profiles = append(src.Profiles, value)
		case "--env-file":
			src.EnvFiles = append(src.EnvFiles, filepath.Join(folder, value))
		case "-p":
			src.ProjectName = value
		default:
			t.Fatalf("%s/args: %q is not known", folder, flag)
		}
		i++
	}

	return src
}
