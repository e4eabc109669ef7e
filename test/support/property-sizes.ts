// Properties try lengths up to the bound that they name: by default fast-check makes nothing longer than some ten.
import fc from "fast-check";

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });
