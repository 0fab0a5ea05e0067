//! The countries of Mercado Libre and the authorization host of each, which decides what the pages say.

/// One country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Site {
    pub id: &'static str,
    pub country: &'static str,
    /// Here reached as `<host>.localhost:<port>`, which browsers resolve to this machine.
    pub authorization_host: &'static str,
}

const SITES: &[Site] = &[
    site("MLA", "Argentina", "auth.mercadolibre.com.ar"),
    site("MLB", "Brazil", "auth.mercadolivre.com.br"),
    site("MLM", "Mexico", "auth.mercadolibre.com.mx"),
    site("MLC", "Chile", "auth.mercadolibre.cl"),
    site("MCO", "Colombia", "auth.mercadolibre.com.co"),
    site("MLU", "Uruguay", "auth.mercadolibre.com.uy"),
    site("MPE", "Peru", "auth.mercadolibre.com.pe"),
    site("MLV", "Venezuela", "auth.mercadolibre.com.ve"),
    site("MEC", "Ecuador", "auth.mercadolibre.com.ec"),
    site("MBO", "Bolivia", "auth.mercadolibre.com.bo"),
    site("MPY", "Paraguay", "auth.mercadolibre.com.py"),
    site("MPA", "Panama", "auth.mercadolibre.com.pa"),
    site("MRD", "Dominican Republic", "auth.mercadolibre.com.do"),
    site("MCR", "Costa Rica", "auth.mercadolibre.co.cr"),
    site("MGT", "Guatemala", "auth.mercadolibre.com.gt"),
    site("MHN", "Honduras", "auth.mercadolibre.com.hn"),
    site("MNI", "Nicaragua", "auth.mercadolibre.com.ni"),
    site("MSV", "El Salvador", "auth.mercadolibre.com.sv"),
    site("CBT", "Global Selling", "global-selling.mercadolibre.com"),
];

/// Every country the sandbox knows.
pub fn sites() -> &'static [Site] {
    SITES
}

pub fn by_id(id: &str) -> Option<&'static Site> {
    SITES.iter().find(|site| site.id.eq_ignore_ascii_case(id))
}

/// The country of a host, with or without `.localhost` at its end.
pub fn by_host(host_name: &str) -> Option<&'static Site> {
    let host = host_name.strip_suffix(".localhost").unwrap_or(host_name);
    SITES.iter().find(|site| site.authorization_host == host)
}

const fn site(id: &'static str, country: &'static str, authorization_host: &'static str) -> Site {
    Site {
        id,
        country,
        authorization_host,
    }
}
