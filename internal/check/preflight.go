package check

import (
	"context"

	"github.com/cniguard/cniguard/internal/guard"
)

// readPreflight reads what only the gates of a step that may be taken want to know. An unchanged, healthy check asks nothing here.
func (e Engine) readPreflight(ctx context.Context, in *guard.Input) {
	in.Now = e.Clock.Now()
	if to, wanted := in.WantsConfiguration(); wanted {
		in.Seen.Configuration = e.Observer.Configuration(ctx, in.ID, to, in.Seen.Addon.Value.Config)
	}
}
