package template

import (
	"errors"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// checkTable wants the table as package table describes it, and that it survives
// mistakes.
func (t *Template) checkTable() error {
	return t.each("AWS::DynamoDB::Table", func(name string, r *Resource) error {
		if own := t.named("GATEHOUSE_TABLE"); name != own && own != "" {
			return nil // of the team
		}
		p := r.Properties
		errs := []error{r.retained()}
		if !p.At("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled").Is(true) {
			errs = append(errs, fault.New("table-settings", "point-in-time recovery is off: set PointInTimeRecoveryEnabled: true"))
		}
		if protected := p.At("DeletionProtectionEnabled"); !protected.Is(true) && protected.String() != switchedProtection {
			errs = append(errs, fault.New("table-settings", "deletion protection is off: set DeletionProtectionEnabled: true"))
		}
		if !p.At("TimeToLiveSpecification", "AttributeName").Is("ttl") || !p.At("TimeToLiveSpecification", "Enabled").Is(true) {
			errs = append(errs, fault.New("table-settings", "rows do not end by ttl: enable TimeToLiveSpecification for the attribute ttl"))
		}
		if !p.At("BillingMode").Is("PAY_PER_REQUEST") {
			errs = append(errs, fault.New("table-settings", "want BillingMode PAY_PER_REQUEST"))
		}
		errs = append(errs, checkKeys("table", p, "pk", "sk"))
		indexes := p.At("GlobalSecondaryIndexes").List()
		if len(indexes) != 2 {
			return errors.Join(append(errs, fault.New("table-keys", "want the indexes gsi1 and gsi2"))...)
		}
		for i, name := range []string{"gsi1", "gsi2"} {
			errs = append(errs, checkKeys(name, indexes[i], name+"pk", name+"sk"))
			if !indexes[i].At("IndexName").Is(name) || !indexes[i].At("Projection", "ProjectionType").Is("ALL") {
				errs = append(errs, fault.New("table-keys", "want %s with all attributes", name))
			}
		}
		return errors.Join(errs...)
	})
}

// switchedProtection is the deletion protection of our own template: off for the first
// deployment, so that a failed one can be undone, and turned on by a setting.
const switchedProtection = `{"Fn::If":["ProtectsTable",true,false]}`

func checkKeys(name string, v Value, partition, sort string) error {
	want := fmt.Sprintf(`[{"AttributeName":%q,"KeyType":"HASH"},{"AttributeName":%q,"KeyType":"RANGE"}]`, partition, sort)
	if v.At("KeySchema").String() != want {
		return fault.New("table-keys", "want the keys %s and %s of the %s", partition, sort, name)
	}
	return nil
}

// checkKey wants an RSA key that signs, that outlives the stack, and that the
// account can never lose its hold on.
func (t *Template) checkKey() error {
	return t.each("AWS::KMS::Key", func(name string, r *Resource) error {
		if own := t.named("GATEHOUSE_KMS_KEY"); name != own && own != "" {
			return nil // of the team
		}
		p := r.Properties
		errs := []error{r.retained()}
		if !p.At("KeySpec").Is("RSA_2048") || !p.At("KeyUsage").Is("SIGN_VERIFY") {
			errs = append(errs, fault.New("key-kind", "want KeySpec RSA_2048 and KeyUsage SIGN_VERIFY"))
		}
		if p.At("Tags").String() == "null" {
			errs = append(errs, fault.New("key-kind", "want the tag gatehouse: the role goes by it"))
		}
		owned := false
		for _, s := range p.At("KeyPolicy", "Statement").List() {
			principal := s.At("Principal", "AWS")
			switch {
			case s.At("Principal").Is("*") || principal.Is("*"):
				errs = append(errs, fault.New("key-policy", "the key policy lets anybody in: name who in Principal"))
			case principal.String() == accountRoot && s.At("Action").Is("kms:*") && s.At("Effect").Is("Allow"):
				owned = true
			}
		}
		if !owned {
			errs = append(errs, fault.New("key-policy", "the key policy locks the account out of its own key: allow kms:* to its root"))
		}
		return errors.Join(errs...)
	})
}

const accountRoot = `{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":iam::",{"Ref":"AWS::AccountId"},":root"]]}`
