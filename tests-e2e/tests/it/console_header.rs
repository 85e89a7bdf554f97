//! The header of the console: one calm line, and a menu for what is opened now and then.

use serde_json::json;
use tests_e2e::Page;

use crate::console::{Scene, has, is_accessible, is_well, path, picture, width};

const HEIGHT: &str = "document.querySelector('header.top').offsetHeight";

/// A line of controls of 40 pixels, with 8 above and below, and its border.
const ONE_LINE: u64 = 60;

async fn speak(scene: &Scene, page: &Page, language: &str) {
    let cookie =
        json!({ "name": "console_language", "value": language, "url": scene.at("/console") });
    page.command("Network.setCookie", cookie).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_header_is_one_line_on_a_desk_and_its_menu_fits_everywhere() {
    let scene = Scene::begin(1).await;
    let page = scene.logged_in(&scene.office_key).await;
    for language in ["id", "en"] {
        speak(&scene, &page, language).await;
        for wide in [1440, 1200, 768, 360] {
            width(&page, wide).await;
            page.go(&scene.at("/console/keys")).await;
            let height = page.run(HEIGHT).await.as_u64().expect("a height");
            if wide >= 1200 {
                assert!(height <= ONE_LINE, "{language} at {wide}: {height} pixels");
            }
            page.run("document.querySelector('nav details').open = true; null")
                .await;
            let what = format!("menu-{language}-{wide}");
            is_well(&page, &what).await;
            is_accessible(&page, &what).await;
            picture(&page, &what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_goes_with_the_keyboard_and_without_scripts() {
    let scene = Scene::begin(1).await;
    let page = scene.logged_in(&scene.office_key).await;
    let off = json!({ "value": true });
    page.command("Emulation.setScriptExecutionDisabled", off)
        .await;
    page.go(&scene.at("/console")).await;
    // What the protocol runs is no script of the page.
    page.run("document.querySelector('nav summary').focus(); null")
        .await;
    press(&page, "Enter", 13).await;
    press(&page, "Tab", 9).await;
    let loaded = page.next("Page.loadEventFired");
    press(&page, "Enter", 13).await;
    loaded.await;
    assert_eq!(path(&page).await, "/console/endpoints");
    assert!(has(&page, "Kelola").await, "{}", page.text().await);
}

async fn press(page: &Page, key: &str, code: u32) {
    for kind in ["keyDown", "keyUp"] {
        let mut event =
            json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
        if key == "Enter" && kind == "keyDown" {
            event["text"] = "\r".into();
        }
        page.command("Input.dispatchKeyEvent", event).await;
    }
}
