package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/dogker/dogker"

// inward lists, for each tree, what it must never reach, however indirectly.
var inward = []struct {
	reason string
	tree   string
	never  []string
}{
	{
		reason: "The contract depends on nothing, so that everybody can depend on it.",
		tree:   "/api", never: []string{"/reconciler", "/controllers", "/internal", "/cmd", "/manifests", "k8s.io/client-go", "sigs.k8s.io/controller-runtime", "github.com/docker"},
	},
	{
		reason: "Machinery knows no loop and no adapter.",
		tree:   "/reconciler", never: []string{"/controllers", "/internal", "/cmd"},
	},
	{
		reason: "Decisions are made without knowing who carries them out.",
		tree:   "/controllers", never: []string{"/internal", "/cmd", "github.com/docker/docker/client", "k8s.io/kubernetes"},
	},
	{
		reason: "Adapters serve controllers through interfaces that the controllers declare; they meet in cmd.",
		tree:   "/internal", never: []string{"/controllers", "/cmd"},
	},
	{
		reason: "What controllers and adapters say to each other is pure.",
		tree:   "/reconciler/swarmobj", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "github.com/docker/docker/client"},
	},
	{
		reason: "What is charged is worked out without a client.",
		tree:   "/reconciler/usage", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "github.com/docker/docker/client"},
	},
	{
		reason: "What a task looks like as a pod is worked out without a client.",
		tree:   "/reconciler/podview", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "k8s.io/kubernetes", "github.com/docker/docker/client"},
	},
	{
		reason: "What a sync answers for is decided without a client.",
		tree:   "/reconciler/inventory", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "github.com/docker/docker/client"},
	},
	{
		reason: "When a sync is looked at is decided without a client.",
		tree:   "/reconciler/gitsync", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "github.com/docker/docker/client"},
	},
	{
		reason: "What is applied, and what is said about it, is named without a client.",
		tree:   "/reconciler/delivery", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "github.com/docker/docker/client"},
	},
	{
		reason: "Which image is the latest is decided without a client.",
		tree:   "/reconciler/imagepolicy", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "github.com/docker/docker/client"},
	},
	{
		reason: "How many tasks a container is to have is decided without a client.",
		tree:   "/reconciler/autoscale", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "github.com/docker"},
	},
	{
		reason: "When a run of a job begins and how it ends is decided without a client.",
		tree:   "/reconciler/jobrun", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "github.com/docker/docker/client"},
	},
	{
		reason: "What people are told, and when, is decided without a client.",
		tree:   "/reconciler/alert", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "github.com/docker/docker/client"},
	},
	{
		reason: "What a container takes of a quota is worked out without a client.",
		tree:   "/reconciler/allotment", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "github.com/docker/docker/client"},
	},
	{
		reason: "What samples mean is worked out without a client.",
		tree:   "/reconciler/telemetry", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "github.com/docker/docker/client"},
	},
	{
		reason: "What a build is asked and answers is known without Git, and without a client.",
		tree:   "/reconciler/source", never: []string{"github.com/go-git", "sigs.k8s.io", "k8s.io"},
	},
	{
		reason: "What reads repositories that may be hostile knows no way to the cluster and to the engine.",
		tree:   "/internal/git", never: []string{"/internal/controlplane", "/internal/swarm", "k8s.io/client-go", "github.com/docker"},
	},
	{
		reason: "What Prometheus is shown is known, and no scrape asks an engine.",
		tree:   "/internal/exposition", never: []string{"/internal/controlplane", "/internal/swarm", "/internal/fleet", "github.com/docker/docker/client", "k8s.io/kubernetes"},
	},
	{
		reason: "What ships logs reads them as everybody does, and knows no other way to an engine.",
		tree:   "/internal/logship", never: []string{"/internal/controlplane", "/internal/swarm", "k8s.io/client-go", "sigs.k8s.io/controller-runtime", "k8s.io/kubernetes"},
	},
	{
		reason: "What opens a door to an engine knows no way to the cluster.",
		tree:   "/internal/agent/door", never: []string{"/internal/controlplane", "/internal/swarm", "k8s.io/client-go", "sigs.k8s.io/controller-runtime"},
	},
	{
		reason: "What reads volumes knows the engine that it is given, and no way to the cluster.",
		tree:   "/internal/voldata", never: []string{"/internal/controlplane", "/internal/swarm", "/internal/agent", "k8s.io/client-go", "sigs.k8s.io/controller-runtime"},
	},
	{
		reason: "What works with the data of volumes is given engines, and knows no way to the swarm.",
		tree:   "/internal/volumework", never: []string{"/internal/controlplane", "/internal/swarm", "/internal/fleet", "/internal/agent", "k8s.io/kubernetes"},
	},
	{
		reason: "How a volume moves is decided without a client.",
		tree:   "/reconciler/volumemove", never: []string{"sigs.k8s.io", "k8s.io", "github.com/docker"},
	},
	{
		reason: "How a snapshot is made is decided without a client.",
		tree:   "/reconciler/snapshotrun", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "k8s.io/apiserver", "github.com/docker"},
	},
	{
		reason: "Which snapshots stay is decided without a client.",
		tree:   "/reconciler/retention", never: []string{"sigs.k8s.io", "k8s.io", "github.com/docker"},
	},
	{
		reason: "What a service looks like is decided without a client.",
		tree:   "/controllers/workload/servicespec", never: []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go", "github.com/docker/docker/client"},
	},
}

// alone lists trees whose packages must not import each other.
var alone = []string{"/controllers"}

// forbidden are imports that nothing of ours may have.
var forbidden = map[string]string{
	"github.com/stretchr/testify": "tests say what they want and got; an assertion library says less",
	"github.com/onsi/gomega":      "tests say what they want and got; an assertion library says less",
	"github.com/onsi/ginkgo":      "tests are Go's own",
	"io/ioutil":                   "its successors are in io and os",
}

// bridged are imports that only those may have who bridge them for Kubernetes' own libraries.
var bridged = map[string][]string{
	"k8s.io/klog/v2": {"/cmd", "/internal/controlplane"},
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Dir, Name string
	Standard              bool
	Imports, Deps         []string
	TestImports           []string
	XTestImports          []string
	GoFiles               []string
}

// packages are all packages of the module; the go command is asked once.
var packages = sync.OnceValues(func() ([]listed, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Imports,Deps,TestImports,XTestImports,GoFiles", module+"/...")

	var stderr bytes.Buffer

	cmd.Stderr = &stderr

	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.String())
	}

	var all []listed

	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed

		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}

		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}

		all = append(all, p)
	}
})

func allPackages(t *testing.T) []listed {
	t.Helper()

	all, err := packages()
	if err != nil {
		t.Fatal(err)
	}

	return all
}

// under tells whether a package lies in a tree; trees of ours begin with a slash.
func under(path, tree string) bool {
	if strings.HasPrefix(tree, "/") {
		tree = module + tree
	}

	return path == tree || strings.HasPrefix(path, tree+"/")
}

func TestArrowsPointInward(t *testing.T) {
	all := allPackages(t)

	for _, rule := range inward {
		found := false

		for _, p := range all {
			if !under(p.ImportPath, rule.tree) {
				continue
			}

			found = true

			for _, dep := range p.Deps {
				if slices.ContainsFunc(rule.never, func(tree string) bool { return under(dep, tree) }) {
					t.Errorf("%s reaches %s: %s", p.ImportPath, dep, rule.reason)
				}
			}
		}

		if !found {
			t.Errorf("there is no package under %s any more: the rule guards nothing", rule.tree)
		}
	}
}

func TestControllersDoNotKnowEachOther(t *testing.T) {
	for _, p := range allPackages(t) {
		for _, tree := range alone {
			if !under(p.ImportPath, tree) {
				continue
			}

			mine := room(p.ImportPath, tree)

			for _, imported := range p.Imports {
				if under(imported, tree) && room(imported, tree) != mine {
					t.Errorf("%s imports %s: controllers talk through API objects", p.ImportPath, imported)
				}
			}
		}
	}
}

// room is the package right below the tree that a path belongs to.
func room(path, tree string) string {
	rest := strings.TrimPrefix(path, module+tree+"/")
	name, _, _ := strings.Cut(rest, "/")

	return name
}

func TestForbiddenImports(t *testing.T) {
	for _, p := range allPackages(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for path, reason := range forbidden {
				if imported == path || strings.HasPrefix(imported, path+"/") {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, reason)
				}
			}

			for path, trees := range bridged {
				if imported == path && !slices.ContainsFunc(trees, func(tree string) bool { return under(p.ImportPath, tree) }) {
					t.Errorf("%s imports %s: only %v bridge it", p.ImportPath, imported, trees)
				}
			}
		}
	}
}
