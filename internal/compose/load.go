package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// maxFileBytes is more than any Compose file that people write.
const maxFileBytes = 4 << 20

// Stdin is the name of the standard input among files.
const Stdin = "-"

// The names by which Compose finds its files where none are given; the first of each that exists counts.
var (
	defaultFiles     = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}
	defaultOverrides = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}
)

// Source says what to load.
type Source struct {
	// Files are merged in this order; Stdin is one of them at most. Without any, those that Compose would find in Dir.
	Files []string
	// Stdin is read for the file of that name.
	Stdin io.Reader
	// Dir is where files are looked for when none are given, and the folder of the project when the first is Stdin.
	Dir string
	// Profiles to turn on; by default those of COMPOSE_PROFILES.
	Profiles []string
	// EnvFiles hold variables for interpolation; by default .env in the folder of the project.
	EnvFiles []string
	// ProjectName wins over the files, COMPOSE_PROJECT_NAME and the name of the folder.
	ProjectName string
	// Environ are variables for interpolation, as os.Environ has them. They win over EnvFiles.
	Environ []string
}

// Stack is a loaded project, with all that converting it needs: after Load nothing is read any more.
type Stack struct {
	// Project as compose-go has loaded it: interpolated, merged, and without the services of other profiles.
	Project *types.Project
	// Configs and Secrets are the contents of those that the project defines, by their keys in it.
	Configs, Secrets map[string]Content
	// Warnings are compose-go's own.
	Warnings []string
}

// Load reads Compose files as Compose would. Its errors are about what was given: files that cannot be read, and text that
// is no Compose.
func Load(ctx context.Context, src Source) (stack *Stack, err error) {
	files, err := src.files()
	if err != nil {
		return nil, err
	}
	dir, err := src.projectDir(files)
	if err != nil {
		return nil, err
	}
	environment, err := src.environment(dir)
	if err != nil {
		return nil, err
	}
	details := types.ConfigDetails{WorkingDir: dir, Environment: environment}
	for _, name := range files {
		content, err := src.read(name)
		if err != nil {
			return nil, fmt.Errorf("read Compose file %q: %w", name, err)
		}
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: absolute(dir, name), Content: content})
	}

	var project *types.Project
	warnings, err := listen(func() error {
		project, err = load(ctx, details, src.options(dir, environment))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load Compose files: %w", err)
	}

	return &Stack{
		Project: project, Warnings: warnings,
		Configs: contents(configObjects(project)), Secrets: contents(secretObjects(project)),
	}, nil
}

// load calls compose-go. What it takes for granted about types it has checked by a schema before, mostly: the rest would
// panic, and is an error about the file like any other.
func load(ctx context.Context, details types.ConfigDetails, options func(*loader.Options)) (project *types.Project, err error) {
	defer func() {
		if r := recover(); r != nil {
			project, err = nil, fmt.Errorf("a value has a type that Compose does not know there: %v", r)
		}
	}()

	return loader.LoadWithContext(ctx, details, options)
}

func (src Source) options(dir string, environment types.Mapping) func(*loader.Options) {
	profiles := src.Profiles
	if len(profiles) == 0 {
		for p := range strings.SplitSeq(environment["COMPOSE_PROFILES"], ",") {
			if p = strings.TrimSpace(p); p != "" {
				profiles = append(profiles, p)
			}
		}
	}

	return func(o *loader.Options) {
		o.Profiles = profiles
		o.ResourceLoaders = []loader.ResourceLoader{fence{dir}}
		switch inherited := environment["COMPOSE_PROJECT_NAME"]; {
		case src.ProjectName != "":
			o.SetProjectName(src.ProjectName, true)
		case inherited != "":
			o.SetProjectName(loader.NormalizeProjectName(inherited), false)
		default:
			name := loader.NormalizeProjectName(filepath.Base(dir))
			if name == "" {
				name = "default"
			}
			o.SetProjectName(name, false)
		}
	}
}

// files are those that were given, or those that Compose would find.
func (src Source) files() ([]string, error) {
	if len(src.Files) > 0 {
		if n := len(slices.DeleteFunc(slices.Clone(src.Files), func(f string) bool { return f != Stdin })); n > 1 {
			return nil, errors.New("the standard input can be read only once")
		}
		return src.Files, nil
	}
	main, ok := firstOf(src.Dir, defaultFiles)
	if !ok {
		return nil, fmt.Errorf("no Compose file was given, and %q has none of %s", src.Dir, strings.Join(defaultFiles, ", "))
	}
	found := []string{main}
	if override, ok := firstOf(src.Dir, defaultOverrides); ok {
		found = append(found, override)
	}

	return found, nil
}

func firstOf(dir string, names []string) (string, bool) {
	for _, name := range names {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, true
		}
	}

	return "", false
}

// projectDir is the folder of the first file, as in Compose.
func (src Source) projectDir(files []string) (string, error) {
	for _, name := range files {
		if name != Stdin {
			return filepath.Abs(filepath.Dir(name))
		}
	}

	return filepath.Abs(src.Dir)
}

func (src Source) environment(dir string) (types.Mapping, error) {
	environment := types.Mapping{}
	for _, entry := range src.Environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			environment[name] = value
		}
	}
	files := src.EnvFiles
	if path, ok := firstOf(dir, []string{".env"}); ok && len(files) == 0 {
		files = []string{path}
	}
	more, err := dotenv.GetEnvFromFile(maps.Clone(environment), files)
	if err != nil {
		return nil, fmt.Errorf("read variables: %w", err)
	}

	return environment.Merge(more), nil
}

func (src Source) read(name string) ([]byte, error) {
	if name == Stdin {
		return bounded(src.Stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()

	return bounded(file)
}

func bounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err == nil && len(data) > maxFileBytes {
		err = fmt.Errorf("it has more than %d bytes", maxFileBytes)
	}

	return data, err
}

func absolute(dir, name string) string {
	if name == Stdin {
		return filepath.Join(dir, "stdin")
	}
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}

	return name
}
