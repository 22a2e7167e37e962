package access_test

import (
	"testing"

	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/fault"
)

// Fact 2.2/one-minor.
func TestATextTellsOnlyWhatItsCodeDoesNotAndNeverTheKind(t *testing.T) {
	const oneMinor = "Updating VPC-CNI can only go up or down 1 minor version at a time"
	const passRole = "User: arn:aws:sts::111122223333:assumed-role/cniguard-updater/x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/cni"
	for name, c := range map[string]struct {
		op, code, text string
		cause, need    string
	}{
		"a step of more than one minor version":      {"eks:UpdateAddon", "InvalidParameterException", oneMinor, fault.OneMinor, ""},
		"any other parameter that is refused":        {"eks:UpdateAddon", "InvalidParameterException", "ConfigurationValue provided in request is not supported", "", ""},
		"the same text under another code":           {"eks:UpdateAddon", "InvalidRequestException", oneMinor, "", ""},
		"the same text of another call":              {"eks:CreateAddon", "InvalidParameterException", oneMinor, "", ""},
		"a role that may not be passed":              {"eks:UpdateAddon", "AccessDeniedException", passRole, "", "iam:PassRole"},
		"the call itself is denied":                  {"eks:UpdateAddon", "AccessDeniedException", "not authorized to perform: eks:UpdateAddon", "", "eks:UpdateAddon"},
		"a text on passing a role that is no denial": {"eks:UpdateAddon", "InvalidParameterException", passRole, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := access.Fault(c.op, &smithy.GenericAPIError{Code: c.code, Message: c.text})
			if f.Kind != fault.Terminal || f.Code != c.code || f.Cause != c.cause || f.Need != c.need {
				t.Errorf("%+v", f)
			}
		})
	}
}
