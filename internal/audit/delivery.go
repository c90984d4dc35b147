package audit

import (
	"fmt"
	"slices"
	"strings"
)

// What GitSyncs, ImagePolicies and GitPreviews are asked.
const (
	deliveryRights   = "D1"
	deliverySigned   = "D2"
	deliverySecretly = "D3"
)

// deliveryCheck is a check of one GitSync, ImagePolicy or GitPreview.
type deliveryCheck struct {
	id, title     string
	judge         func(*Delivery) []verdict
	right, remedy string
}

// deliveryChecks are about whose word a repository is, and what that word can do.
var deliveryChecks = []deliveryCheck{
	{
		id: deliveryRights, title: "Repositories have the rights of a developer", judge: developerRights,
		right:  "an account with no more rights than developers have in its namespace: whoever may push to the repository has them",
		remedy: "name an account in spec.serviceAccountName that is bound to what the repository needs, or take the binding away",
	},
	{
		id: deliverySigned, title: "What the platform applies is signed", judge: signedForPlatform,
		right:  "commits that somebody has signed whom you trust: the Git server alone decides otherwise what the platform is",
		remedy: "set spec.verify, with the keys of those who may sign",
	},
	{
		id: deliverySecretly, title: "Repositories are not fetched in the clear", judge: notInTheClear,
		right:  "https:// or ssh://: over http whoever is on the way decides what is applied",
		remedy: "change the URL to https:// or ssh://",
	},
}

// developerRights finds each binding that gives more than what developers have. The platform's own accounts need more: there
// it is only everything that is too much.
func developerRights(d *Delivery) []verdict {
	var out []verdict

	for _, g := range d.Grants {
		found := fmt.Sprintf("acts as ServiceAccount %q, which %s binds to %s", d.Account, g.Binding, g.Role)

		switch {
		case d.Platform && g.Everything:
			out = append(out, fault(SeverityMedium, "%s: whoever may push is the administrator", found))
		case d.Platform:
		case g.Everything:
			out = append(out, fault(SeverityCritical, "%s: everything, with which it may do what Dogker may", found))
		case g.Elsewhere:
			out = append(out, fault(SeverityHigh, "%s, outside of its namespace", found))
		default:
			out = append(out, fault(SeverityMedium, "%s: more than developers have", found))
		}
	}

	return out
}

func signedForPlatform(d *Delivery) []verdict {
	switch {
	case !d.Platform:
		return []verdict{notApplicable("it is a tenant's, who decides whom to trust")}
	case d.Object.Kind != KindGitSync:
		return []verdict{notApplicable("it applies nothing of a repository")}
	default:
		return []verdict{faultIf(!d.Verified, SeverityAdvice, "applies every commit, whoever made it")}
	}
}

// notInTheClear is milder where commits are signed: nobody on the way can change those.
func notInTheClear(d *Delivery) []verdict {
	switch {
	case d.URL == "":
		return []verdict{notApplicable("it names no repository")}
	case !strings.HasPrefix(strings.ToLower(d.URL), "http://"):
		return []verdict{passes()}
	case d.Verified:
		return []verdict{fault(SeverityLow, "fetches %s in the clear, though signed", d.URL)}
	case d.Platform:
		return []verdict{fault(SeverityHigh, "fetches %s in the clear", d.URL)}
	default:
		return []verdict{fault(SeverityMedium, "fetches %s in the clear", d.URL)}
	}
}

// deliverySection holds everything that follows a repository against its checks.
func deliverySection(in Input) []Check {
	checks := make([]Check, 0, len(deliveryChecks))

	for _, k := range deliveryChecks {
		c := Check{ID: k.id, Section: sectionDeliveries, Title: k.title}

		switch {
		case in.DeliveriesUnseen != "":
			c.note(nil, unseen("%s", in.DeliveriesUnseen), "", "")
		case len(in.Deliveries) == 0:
			c.note(nil, notApplicable("no repository is followed"), "", "")
		}

		for i := range in.Deliveries {
			d := &in.Deliveries[i]

			said := k.judge(d)
			if len(said) == 0 {
				said = []verdict{passes()}
			}

			for _, v := range said {
				c.note(&d.Object, v, k.right, k.remedy)
			}
		}

		checks = append(checks, c)
	}

	return checks
}

func deliveriesWithin(all []Delivery, namespace string) []Delivery {
	return slices.DeleteFunc(slices.Clone(all), func(d Delivery) bool { return d.Object.Namespace != namespace })
}
