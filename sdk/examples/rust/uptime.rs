//! example_uptime: a whole collector in Rust. One document per run from /proc/uptime.
mod pga;

use pga::*;

struct Uptime;

impl Collector for Uptime {
    fn create() -> Self {
        Uptime
    }

    fn configure(&mut self, _json: &str, _dry_run: bool) -> Result<(), Failure> {
        Ok(()) // no keys: the schema admits only {}
    }

    fn collect(&mut self, run: &Run) -> Result<(), Failure> {
        let text = std::fs::read_to_string("/proc/uptime").map_err(|why| Failure {
            status: PGA_E_FAIL,
            code: "proc.unreadable",
            message: format!("cannot read /proc/uptime: {why}"),
        })?;
        let seconds = text.split(' ').next().and_then(|word| word.parse::<f64>().ok()).ok_or_else(|| Failure {
            status: PGA_E_FAIL,
            code: "proc.malformed",
            message: "/proc/uptime does not begin with a number".into(),
        })?;
        run.emit(&format!(r#"{{"type":"example_uptime","timestamp":"{}","uptime_seconds":{seconds}}}"#, run.timestamp()))
    }
}

#[used]
#[link_section = ".note.pganalytics"]
static NOTE: pga_note = note("example_uptime");

static DESCRIPTOR: pga_descriptor = pga_descriptor {
    struct_size: std::mem::size_of::<pga_descriptor>() as u32,
    min_host_minor: 0,
    id: c"example_uptime".as_ptr(),
    aliases: c"".as_ptr(),
    version: c"1.0.0".as_ptr(),
    vendor: c"pgAnalytics examples".as_ptr(),
    description: c"How long the machine is up, from /proc/uptime".as_ptr(),
    license: c"Apache-2.0".as_ptr(),
    url: c"https://github.com/pganalytics/pganalytics".as_ptr(),
    config_schema: c"{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}".as_ptr(),
    output_schema: cr#"{"type": "object", "additionalProperties": false, "required": ["type", "timestamp", "uptime_seconds"], "properties": {
  "type": {"type": "string", "enum": ["example_uptime"], "x-kind": "info"},
  "timestamp": {"type": "string", "format": "date-time", "x-kind": "info"},
  "uptime_seconds": {"type": "number", "minimum": 0, "x-kind": "gauge", "x-unit": "s", "description": "Since boot."}}}"#
        .as_ptr(),
    needs: PGA_NEED_PROC,
    flags: 0,
    default_interval_ms: 60_000,
    default_timeout_ms: 2_000,
};

static PLUGIN: pga_plugin = pga_plugin {
    struct_size: std::mem::size_of::<pga_plugin>() as u32,
    abi_minor: 0,
    descriptor: &DESCRIPTOR,
    create: create::<Uptime>,
    configure: configure::<Uptime>,
    collect: collect::<Uptime>,
    cancel: None,
    destroy: destroy::<Uptime>,
    get_extension: None,
};

#[no_mangle]
pub extern "C" fn pga_plugin_v1(_host_minor: u32) -> *const pga_plugin {
    &PLUGIN
}
