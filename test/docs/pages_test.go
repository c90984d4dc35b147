package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/dogker/dogker/manifests"
)

// pages are all Markdown files of the repository, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()

	out := map[string]string{}

	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}

		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin" || d.Name() == "testdata") {
			return fs.SkipDir
		}

		if filepath.Ext(path) == ".md" {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}

			out[path] = string(data)
		}

		return nil
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("no pages: %v", err)
	}

	return out
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)

	for page, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}

			file, anchor, _ := strings.Cut(m[1], "#")

			target := filepath.Join(filepath.Dir(page), file)
			if file == "" {
				target = page
			}

			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link %q leads nowhere", page, m[1])
				continue
			}

			if anchor != "" && !slices.Contains(anchors(all[target]), anchor) {
				t.Errorf("%s: link %q names no heading of its page", page, m[1])
			}
		}
	}
}

var (
	heading     = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noAnchor    = regexp.MustCompile(`[^a-z0-9 _-]`)
	makeTarget  = regexp.MustCompile(`(?m)^([a-z0-9-]+):`)
	makeCommand = regexp.MustCompile("(?m)(?:^\\$ (?:sudo )?|`)make ([a-z][a-z0-9-]*)")
)

// anchors are the names by which the headings of a page are linked to.
func anchors(text string) []string {
	var out []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		out = append(out, strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}

	return out
}

func TestCommandsOfMakeExist(t *testing.T) {
	data, err := os.ReadFile(root + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}

	var targets []string
	for _, m := range makeTarget.FindAllStringSubmatch(string(data), -1) {
		targets = append(targets, m[1])
	}

	for page, text := range pages(t) {
		for _, m := range makeCommand.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(targets, m[1]) {
				t.Errorf("%s: there is no make %s", page, m[1])
			}
		}
	}
}

// TestReferenceIsComplete demands that the page of a kind has its sections in order and names every field. A field of a
// field may be named with or without its parents.
func TestReferenceIsComplete(t *testing.T) {
	all := pages(t)

	for kind, file := range map[string]string{
		"tenantcontainers": "tenantcontainer.md", "containerrevisions": "containerrevision.md",
		"tenants": "tenant.md", "plans": "plan.md", "users": "user.md", "deploytokens": "deploytoken.md",
		"pricelists": "pricelist.md", "billingaccounts": "billingaccount.md", "topups": "topup.md", "refunds": "refund.md",
		"coupons": "coupon.md", "statements": "statement.md", "gitsyncs": "gitsync.md", "imagepolicies": "imagepolicy.md",
		"alerts": "alert.md", "receivers": "receiver.md", "tenantjobs": "tenantjob.md",
		"volumes": "volume.md", "volumeclasses": "volumeclass.md", "releasedvolumes": "releasedvolume.md",
		"volumesnapshots": "volumesnapshot.md", "volumesnapshotclasses": "volumesnapshotclass.md", "gitpreviews": "gitpreview.md",
	} {
		t.Run(kind, func(t *testing.T) {
			page := all[filepath.Join(root, "docs/reference", file)]

			at := 0
			for _, section := range []string{"## Example", "## Writing the spec", "## Working with it", "## Status"} {
				i := strings.Index(page[at:], "\n"+section+"\n")
				if i < 0 {
					t.Fatalf("section %q is missing, or out of order", section)
				}
				at += i
			}

			for _, path := range documentedFields(t, kind) {
				if !names(page, path) {
					t.Errorf("%s is not named", path)
				}
			}
		})
	}
}

// documentedFields are the fields of spec and status that the page must name. The template of a revision is documented
// where it comes from, and a condition where Kubernetes says what one is.
func documentedFields(t *testing.T, kind string) []string {
	t.Helper()

	raw, err := manifests.CRDs.ReadFile(crdFile(kind))
	if err != nil {
		t.Fatal(err)
	}

	var crd apiextensionsv1.CustomResourceDefinition
	if err := sigsyaml.UnmarshalStrict(raw, &crd); err != nil {
		t.Fatal(err)
	}

	var out []string

	var walk func(s apiextensionsv1.JSONSchemaProps, path string)
	walk = func(s apiextensionsv1.JSONSchemaProps, path string) {
		if s.Items != nil {
			walk(*s.Items.Schema, path)
		}

		for name, child := range s.Properties {
			p := path + "." + name
			out = append(out, p)

			if p != "spec.template" && !strings.HasSuffix(p, ".conditions") {
				walk(child, p)
			}
		}
	}

	for _, part := range []string{"spec", "status"} {
		walk(crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties[part], part)
	}

	slices.Sort(out)

	return out
}

// names is true when the page has the field, the end of its path, or a field in it, in the font of code.
func names(page, path string) bool {
	parts := strings.Split(path, ".")[1:]
	for i := range parts {
		tail := regexp.QuoteMeta(strings.Join(parts[i:], "."))
		if regexp.MustCompile("`([A-Za-z.\\[\\]]+\\.)?" + tail + `(\[\])?[:.` + "`]").MatchString(page) {
			return true
		}
	}

	return false
}

// TestReasonsAreDocumented demands that whoever meets a condition or a reason finds it on a page.
func TestReasonsAreDocumented(t *testing.T) {
	all := pages(t)

	for source, files := range map[string][]string{
		"dogker/v1alpha1/conditions.go": {"tenantcontainer.md"}, "dogker/v1alpha1/conditions_tenant.go": {"tenant.md", "plan.md"},
		"dogker/v1alpha1/conditions_autoscaling.go": {"tenantcontainer.md"},
		"dogker/v1alpha1/conditions_volume.go":      {"volume.md", "releasedvolume.md", "volumesnapshot.md", "volumesnapshotclass.md"},
		"dogker/v1alpha1/conditions_volumemount.go": {"tenantcontainer.md"},
		"dogker/v1alpha1/conditions_job.go":         {"tenantjob.md"},
		"billing/v1alpha1/conditions.go":            {"pricelist.md", "billingaccount.md", "topup.md", "refund.md", "coupon.md"},
		"gitops/v1alpha1/gitpreview_conditions.go":  {"gitpreview.md"},
		"billing/v1alpha1/conditions_payment.go":    {"topup.md", "refund.md", "coupon.md"},
		"gitops/v1alpha1/conditions.go":             {"gitsync.md"},
		"gitops/v1alpha1/imagepolicy_conditions.go": {"imagepolicy.md"},
		"monitoring/v1alpha1/conditions.go":         {"alert.md", "receiver.md"},
	} {
		var page strings.Builder
		for _, file := range files {
			page.WriteString(all[filepath.Join(root, "docs/reference", file)])
		}

		words := stringsOf(t, root+"/api/"+source)
		if len(words) == 0 {
			t.Errorf("no conditions found in %s: the test looks in the wrong place", source)
		}

		for _, word := range words {
			if !strings.Contains(page.String(), "`"+word+"`") {
				t.Errorf("%s of %s is not explained", word, source)
			}
		}
	}
}

// stringsOf are the string literals in a Go file.
func stringsOf(t *testing.T, path string) []string {
	t.Helper()

	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}

	var out []string

	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}

		word, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}

		out = append(out, word)

		return true
	})

	return out
}
