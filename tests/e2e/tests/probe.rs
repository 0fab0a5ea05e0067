use e2e::{APP, World};
use serde_json::{Value, json};
#[tokio::test]
async fn probe() {
    let world = World::start().await;
    let t = std::time::Instant::now();
    let home = format!(
        "{}/e2e/patched.html?words=a.b,c.d&traps={}",
        world.app.origin,
        std::env::var("TRAPS").unwrap_or_default()
    );
    world.open_app(&home).await;
    world
        .sandbox
        .change(|settings| settings.auto_consent = true);
    world.leave(json!({ "redirectUri": home })).await;
    let o = world.redirected().await;
    println!("back {:?} {o}", t.elapsed());
    for p in ["/sites", "/items/count", "/users/me"] {
        let r = world.fetch_private(p, Value::Null).await;
        println!("{p} {:?} {}", t.elapsed(), r.to_string().len());
    }
    let r = world
        .run(
            "return Object.entries(report().calls).sort((a,b)=>b[1]-a[1]).slice(0,30)",
            &[],
        )
        .await;
    println!("report {:?} {r}", t.elapsed());
    let r = world.run("return report().sightings.length", &[]).await;
    println!("report {:?} {r}", t.elapsed());
    for s in [
        "const memory = new WebAssembly.Memory({ initial: 1 })
        memory.buffer",
        "await fetch('data:,x', { headers: { x: 'a'+'-b' } })",
        "new TextDecoder().decode(new TextEncoder().encode('a'+'-b'))",
        "[].push.call({}, 'a'+'-b')",
        "await oauth.session()",
        "return report().sightings",
    ] {
        let r = world.run(s, &[]).await;
        println!("{s} {:?} {r}", t.elapsed());
    }
    let _ = (APP, json!(1));
}
