// Package imagepolicy follows repositories of images and brings the latest one to containers or into Git: it is the control loop
// of the kind ImagePolicy.
//
//	due? ──► tags ──► the latest, by reconciler/imagepolicy ──► its digest ──► containers, or a commit ──► rest
//	  ▲                                                                                                      │
//	  └──────────── interval, annotation, a change of the spec, retry ◄──────────────────────────────────────┘
//
// What holds everywhere in it:
//
//   - No pass waits for a registry or a repository. A look is a job that starts a pass when it ends; one tenant has a few at a
//     time.
//   - A registry that does not answer, or answers with nothing, changes nothing.
//   - Nothing is written that is not another image: neither to a container that runs the same digest, nor to a branch whose
//     places have it already. A container that somebody changes back is written to once an interval, and not in a race.
//   - What a repository keeps is not written to behind its back: a container that a GitSync has applied is left alone unless
//     the GitSync ignores the field.
//   - Secrets are read, and containers are patched, as the ServiceAccount of the spec. What is selected comes from the cache.
//   - At rest nothing is written, not even status.
//
// What is kept in memory only saves work: a process that begins anew looks once, and comes to the same.
//
// It imports api and reconciler. It must not import adapters: they meet in cmd/dogker.
package imagepolicy
